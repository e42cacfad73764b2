import { expect, it } from 'vitest';
import { eachOnce } from './each-once.ts';

it('an access to several records of one person is one', () => {
  const ids = ['9.0', '9.0.1', '9.0.2', '9.1', '90.1', '9.1.1'];
  expect(eachOnce(ids.map((id) => ({ id }))).map(({ id }) => id)).toEqual(['9.0', '9.1', '90.1']);
});
