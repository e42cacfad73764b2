import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AuditLog, Entry } from '../audit/index.ts';
import { testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { alone } from './subjects.ts';
import { type Reader, walk } from './walk.ts';

let test: TestDatabase;
let audit: AuditLog;
beforeAll(async () => {
  test = await testDatabase();
  audit = testAudit(test.database);
});
afterAll(() => test.drop());

const entry = (organization: string): Entry => ({
  at: new Date().toISOString(),
  who: 'ann',
  role: 'clinician',
  organization,
  action: 'read',
  what: '/Condition/x',
  status: 200,
  patients: ['ada'],
});

it('where it pauses tells nothing of what is held', async () => {
  // The latest come first, 200 at a time: the last of these is held.
  const organizations = Array.from({ length: 250 }, (_, i) => (i === 50 ? 'sheriff' : 'clinic'));
  await test.database.query(await audit.insertion(organizations.map(entry)));
  const patients = new Map([['ada', alone]]);
  const reader: Reader = { patients, base: '', isHeld: ({ event }) => event.organization === 'sheriff' };
  const places: number[] = [];
  for await (const { place } of walk(audit, reader, { patients }, undefined, 200)) places.push(place.place);
  expect(places.length).toBeGreaterThan(199);
  expect(places).not.toContain(50);
});
