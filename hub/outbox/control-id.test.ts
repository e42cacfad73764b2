import { expect, it } from 'vitest';
import { newId } from '../record/index.ts';
import { controlIdOf } from './control-id.ts';

it('gives each delivery an id of 20 characters, in the order of their making', () => {
  const deliveries = Array.from({ length: 500 }, () => newId());
  const ids = deliveries.map(controlIdOf);
  for (const id of ids) expect(id).toMatch(/^[0-9A-Z]{20}$/);
  expect(new Set(ids).size).toBe(500);
  expect(controlIdOf(deliveries[0]!)).toBe(ids[0]);
});
