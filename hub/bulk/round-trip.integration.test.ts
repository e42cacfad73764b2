import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { ended, exported, kickOffHeaders, pathIn, statusOf } from './testing.ts';

let from: TestHub;
let to: TestHub;
beforeAll(async () => {
  [from, to] = await Promise.all([startTestHub(), startTestHub()]);
});
afterAll(async () => {
  await from.stop();
  await to.stop();
});

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.constantFrom('line\nbreak', 'tab\there', '"quoted"', 'back\\slash', '\u2028', '💉', 'é', 'x'.repeat(5_000)),
);
const label = text.filter((one) => one.trim() !== '' && !/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(one));
const decimal = fc.constantFrom('1.00', '0.10', '120', '-3.5e2', '1234567890.123456789', '0.000');

/** The text of a resource, digits as they are written. */
const line = fc
  .record({ id: fc.integer({ min: 0, max: 40 }), patient: fc.integer({ min: 0, max: 5 }), label, decimal })
  .map((one) => {
    const head = `"resourceType":"Observation","id":"r${one.id}","status":"final","code":{"text":${JSON.stringify(one.label)}}`;
    const subject = one.patient === 0 ? '' : `,"subject":{"reference":"Patient/q${one.patient}"}`;
    return `{${head}${subject},"valueQuantity":{"value":${one.decimal},"unit":"mg"}}`;
  });
const patient = fc
  .record({ id: fc.integer({ min: 1, max: 5 }), label })
  .map(
    (one) =>
      `{"resourceType":"Patient","id":"q${one.id}","name":[{"family":${JSON.stringify(one.label)}}],"meta":{"tag":[{"code":"t"}]}}`,
  );

async function take(hub: TestHub, lines: string[]): Promise<void> {
  const headers = { 'content-type': 'application/fhir+ndjson', ...kickOffHeaders };
  const begun = await hub.send('POST', '/fhir/$import', `${lines.join('\n')}\n`, { headers });
  const done = await ended(hub, statusOf(hub, begun));
  expect(done.json.error).toEqual([]);
}

/** All lines of an export, without versions and times, which each server has of its own. */
async function give(hub: TestHub, own = false): Promise<string[]> {
  const { output } = await exported(hub, '/fhir/$export');
  const lines: string[] = [];
  for (const { url } of output) lines.push(...(await hub.get(pathIn(hub, url))).text.trimEnd().split('\n'));
  if (own) return lines;
  return lines.map((one) => one.replace(/"versionId":"\d+","lastUpdated":"[^"]+"/, '"…"')).sort();
}

it('what is exported and imported elsewhere is equal, to the digit, and importing it again changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(line, patient), { minLength: 1, maxLength: 40 }), async (lines) => {
      await take(from, lines);
      const given = await give(from, true);
      await take(to, given);
      expect(await give(to)).toEqual(await give(from));
      const before = await give(to, true);
      await take(to, given);
      expect((await give(to, true)).sort()).toEqual(before.sort());
    }),
    { numRuns: 12 },
  );
});
