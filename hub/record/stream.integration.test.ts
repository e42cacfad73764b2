import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, type TestRecord, testRecord } from '../testing-record.ts';
import type { FhirRecord } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;
let put: TestRecord['put'];

beforeAll(async () => {
  ({ test, record, put } = await testRecord());
});
afterAll(() => test.drop());

const observation = (id: string, patient: number, note: string) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: note },
  ...(patient === 0 ? {} : { subject: { reference: `Patient/${patient}` } }),
});

interface Step {
  id: number;
  patient: number;
  remove: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  id: fc.integer({ min: 0, max: 11 }),
  patient: fc.integer({ min: 0, max: 3 }),
  remove: fc.boolean(),
});

let run = 0;
const carryOut = async (steps: Step[], model?: Map<string, string>) => {
  for (const { id, patient, remove } of steps) {
    const name = `s${run}-${id}`;
    if (remove) {
      await record.remove(custodian, 'Observation', name);
      model?.delete(name);
    } else {
      const { text } = await put(observation(name, patient, String(Math.random())));
      model?.set(name, text);
    }
  }
};

it('shows every resource as it stood, once, whatever is written, moved or deleted while it is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), async (before, after) => {
      run++;
      const model = new Map<string, string>();
      await carryOut(before, model);
      const { seq, counted } = await record.snapshot(async (snapshot) => {
        let count = 0;
        const moment = { seq: snapshot.seq, linked: new Date() };
        for await (const page of snapshot.stream.counts(clinician, ['Observation'], { moment })) {
          for (const one of page.counts) if (!one.deleted) count += one.count;
        }
        return { seq: snapshot.seq, counted: count };
      });
      await carryOut(after);
      const texts: string[] = [];
      for await (const batch of record.stream.resources(clinician, 'Observation', {
        moment: { seq, linked: new Date() },
      })) {
        texts.push(...batch.map(({ text }) => text));
      }
      expect(texts).toHaveLength(counted);
      expect(texts.filter((text) => text.includes(`"s${run}-`)).sort()).toEqual([...model.values()].sort());
    }),
    { numRuns: 25 },
  );
});

it('hands out large numbers and large texts in batches, in order, without losing any at their edges', async () => {
  const large = 'x'.repeat(40_000);
  for (let i = 0; i < 60; i++) {
    const note = i % 7 === 0 ? randomBytes(60_000).toString('base64') : large;
    await put(observation(`large-${i}`, 7 + (i % 3), note));
  }
  await Promise.all(Array.from({ length: 2_500 }, (_, i) => put(observation(`many-${i}`, 9, 'x'))));
  const seq = await record.snapshot(async (snapshot) => snapshot.seq);
  const found: { home: number; rkey: number; text: string }[] = [];
  let batches = 0;
  for await (const batch of record.stream.resources(clinician, 'Observation', {
    moment: { seq, linked: new Date() },
  })) {
    batches++;
    const bytes = batch.reduce((sum, { text }) => sum + text.length, 0);
    expect(batch.length === 1 || bytes < 8_000_000).toBe(true);
    found.push(...batch);
  }
  expect(batches).toBeGreaterThan(4);
  const ours = found.filter(({ text }) => /"(large|many)-/.test(text));
  expect(ours).toHaveLength(2_560);
  expect(new Set(ours.map(({ rkey }) => rkey)).size).toBe(2_560);
  const places = found.map(({ home, rkey }) => [home, rkey] as const);
  expect(places).toEqual([...places].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
  const keys = ours.map(({ home, rkey }) => ({ home, rkey, version: 1 }));
  const named: number[] = [];
  for await (const batch of record.stream.versions(clinician, 'Observation', keys)) {
    named.push(...batch.map(({ rkey }) => rkey));
  }
  expect(named).toEqual(keys.map(({ rkey }) => rkey));
});

it('shows a person once, also when links change while it is read, and loses no one', async () => {
  const patient = (id: string, family: string) => ({
    resourceType: 'Patient',
    id,
    name: [{ family, given: ['Jo'] }],
    birthDate: '1970-01-01',
    gender: 'male',
    identifier: [{ system: 'urn:oid:2.999.7', value: 'same-person' }],
    telecom: [{ system: 'phone', value: '+41 44 000 00 01' }],
    address: [{ line: ['Main Street 1'], city: 'Town', postalCode: '8000' }],
  });
  await put(patient('twin-a', 'Twinning') as never);
  const seq = await record.snapshot(async (snapshot) => snapshot.seq);
  const moment = { seq, linked: new Date() };
  const names = async () => {
    const found: string[] = [];
    for await (const batch of record.stream.resources(clinician, 'Patient', { moment })) {
      found.push(...batch.filter(({ text }) => text.includes('Twinning')).map(({ text }) => JSON.parse(text).id));
    }
    return found;
  };
  expect(await names()).toEqual(['twin-a']);
  await put(patient('twin-b', 'Twinning') as never);
  const later = await record.snapshot(async (snapshot) => snapshot.seq);
  expect(await names()).toHaveLength(1);
  moment.seq = later;
  const both = await names();
  expect(new Set(both).size).toBe(1);
  moment.linked = new Date();
  expect(await names()).toHaveLength(1);
  const homes = await record.homesOf(['twin-a', both[0]!, 'nobody']);
  expect(homes.get('twin-a')).toHaveLength(2);
  expect(homes.get(both[0]!)).toEqual(homes.get('twin-a'));
  expect(homes.has('nobody')).toBe(false);
});

it('says what was deleted after a time, with the text that it had', async () => {
  await put(observation('gone', 3, 'it was'));
  const since = new Date();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await record.remove(custodian, 'Observation', 'gone');
  const seq = await record.snapshot(async (snapshot) => snapshot.seq);
  const deleted = [];
  for await (const batch of record.stream.deleted(clinician, 'Observation', {
    moment: { seq, linked: since },
    since: { at: since, seq: undefined },
  })) {
    deleted.push(...batch);
  }
  expect(deleted).toHaveLength(1);
  expect(JSON.parse(deleted[0]!.previous!.text)).toMatchObject({ id: 'gone', code: { text: 'it was' } });
});
