import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consentSaidBody } from './decision.ts';

const migrations = join(import.meta.dirname, '../database/migrations');

it('the function that decides on few rows is the one of the program; a change of it needs a migration', () => {
  const texts = readdirSync(migrations)
    .sort()
    .map((name) => readFileSync(join(migrations, name), 'utf8'));
  const last = texts.filter((text) => /CREATE (OR REPLACE )?FUNCTION consent_said\(/.test(text)).at(-1);
  expect(last).toContain(`AS $$\n${consentSaidBody()}\n$$;`);
});
