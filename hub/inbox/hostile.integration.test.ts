import { messages } from '@causeway/region';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const originals = [...messages({ people: 6, seed: 3 })];
const dialect = (name: string) => originals.filter((one) => one.dialect === name).map(({ body }) => body);

const place = fc.noBias(fc.integer({ min: 0, max: 9_999 })).map((n) => n / 10_000);

/** A change that a broken sender or a broken line might make. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('cut'), at: place, text: fc.constant('') }),
  fc.record({ kind: fc.constant('remove'), at: place, text: fc.constant('') }),
  fc.record({ kind: fc.constant('double'), at: place, text: fc.constant('') }),
  fc.record({
    kind: fc.constant('insert'),
    at: place,
    text: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '|',
        '^',
        '~',
        '\\',
        '&',
        '\r',
        '\r\r',
        '""',
        '<',
        '&',
        ']]>',
        '{',
        '"',
        '\0',
        '\ud800',
        '|'.repeat(5_000),
        '20240230',
        '\\X\\',
        '\\Zxx',
      ),
    ),
  }),
);

function changed(body: string, changes: { kind: string; at: number; text: string }[]): Buffer {
  // A header of HL7 v2 stays as it is: it says whether there is an answer at all.
  const header = body.startsWith('MSH') ? body.slice(0, body.indexOf('\r') + 1) : '';
  let text = body.slice(header.length);
  for (const { kind, at, text: added } of changes) {
    const i = Math.floor(at * text.length);
    if (kind === 'cut') text = text.slice(0, Math.max(i, 4));
    else if (kind === 'remove') text = text.slice(0, i) + text.slice(i + 40);
    else if (kind === 'double') text = text.slice(0, i) + text.slice(Math.max(0, i - 200), i) + text.slice(i);
    else text = text.slice(0, i) + added + text.slice(i);
  }
  return Buffer.from((header + text).replace(/[\x0b\x1c]/g, ' '));
}

const damaged = (name: string) =>
  fc
    .tuple(fc.constantFrom(...dialect(name)), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([body, changes]) => changed(body, changes));

it('answers every damaged HL7 v2 message, and processes or refuses each with its reason', async () => {
  const client = await hub.mllp();
  await fc.assert(
    fc.asyncProperty(damaged('hl7v2'), async (bytes) => {
      client.send(bytes);
      const answer = await client.answer();
      expect(answer).toMatch(/^MSH.*\rMSA.(AA|AR)/);
      if (/\rMSA.AR/.test(answer)) expect(answer).toMatch(/\rERR.\S/);
    }),
    { numRuns: 100, seed: 5 },
  );
  client.end();
});

it.each([
  ['ccda', '/ccda'],
  ['fhir', '/inbox'],
])('answers every damaged %s document, and processes or refuses each with its reason', async (name, path) => {
  await fc.assert(
    fc.asyncProperty(damaged(name), async (bytes) => {
      const answer = await hub.send('POST', path, bytes, { role: 'system' });
      expect([202, 400, 422]).toContain(answer.status);
      if (answer.status !== 202) expect(answer.json.error).toMatch(/\w+ \w+/);
    }),
    { numRuns: 40, seed: 5 },
  );
});

it('takes damaged bundles as transactions or refuses them with place and reason', async () => {
  const transactions = damaged('fhir').map((bytes) =>
    Buffer.from(bytes.toString().replace('"type":"message"', '"type":"transaction"')),
  );
  await fc.assert(
    fc.asyncProperty(transactions, async (bytes) => {
      const answer = await hub.send('POST', '/fhir', bytes, { headers: { 'content-type': 'application/fhir+json' } });
      expect([200, 400, 404, 412, 422]).toContain(answer.status);
      if (answer.status !== 200) expect(answer.json.issue[0].diagnostics).toMatch(/\w+ \w+/);
    }),
    { numRuns: 40, seed: 5 },
  );
});

it('has ended with every one of them, alive', async () => {
  await hub.settled();
  const { rows } = await hub.test.database.query(
    'SELECT state, error, count(*) AS n FROM message GROUP BY state, error',
  );
  for (const { state, error } of rows) {
    expect(['processed', 'refused', 'dead']).toContain(state);
    if (state !== 'processed') expect(error).toMatch(/\w+ \w+/);
  }
  // A message that a converter or the record fails at is a fault of ours.
  expect(rows.filter(({ state }) => state === 'dead').map(({ error }) => error)).toEqual([]);
  const found: Json = await hub.get('/api/status');
  expect(found.json.processed).toBeGreaterThan(30);
});
