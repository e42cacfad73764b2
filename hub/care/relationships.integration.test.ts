/** Who is told of whom, by what shows that they care: from when on, until when, and what becomes of what they were told. */
import { firstCareRules } from '@causeway/access';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { type Site, sites, type TestOutbox, testOutbox } from '../outbox/testing.ts';
import { newId } from '../record/index.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let ids: Record<Site, string>;
/** A chart alone is no care here, so that all else is seen. */
const rules = { ...firstCareRules, chart: false };

beforeEach(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database, undefined, () => rules);
  ids = await outbox.register();
});
afterEach(async () => {
  await outbox.stop();
  await test.drop();
});

const subject = () => ({ reference: `Patient/${ids.lab}` });

async function report(id: string, status = 'final') {
  const code = { coding: [{ system: 'http://loinc.org', code: '2823-3' }] };
  await outbox.say(sites.lab, { resourceType: 'DiagnosticReport', id, status, code, subject: subject() } as never);
}

const told = async () => (await outbox.rows()).map(({ destination, kind }) => `${kind} ${destination}`);

const relationships = async () =>
  (
    await test.database.query(
      `SELECT site, kind, split_part(evidence, '/', 1) AS evidence, ends IS NULL OR ends > now() AS goes_on
       FROM care_relationship WHERE kind <> 'chart' ORDER BY site, kind, evidence`,
    )
  ).rows.map(({ site, kind, evidence, goes_on }) => `${site} ${kind} ${evidence} ${goes_on ? 'goes on' : 'ended'}`);

it('a family doctor that a site names is told what is there, and of the next; after another is named only of corrections', async () => {
  const first = newId();
  await report(first);
  expect(await told()).toEqual([]);
  const doctor = newId();
  const settings = { providers: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }] };
  await outbox.participants.put({ ...outbox.participants.byKey(sites.practice), settings });
  await outbox.say(
    sites.hospital,
    {
      resourceType: 'Practitioner',
      id: doctor,
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
    } as never,
    outbox.patientAt('hospital', ids.hospital, { generalPractitioner: [{ reference: `Practitioner/${doctor}` }] }),
  );
  expect(await told()).toEqual(['new millbrook-practice']);
  await report(newId());
  expect(await told()).toHaveLength(2);
  expect(await relationships()).toEqual(['millbrook-practice family-doctor Patient goes on']);
  await outbox.say(sites.hospital, outbox.patientAt('hospital', ids.hospital, { gender: 'female', active: true }));
  expect(await relationships()).toEqual(['millbrook-practice family-doctor Patient ended']);
  await report(newId());
  await report(first, 'corrected');
  expect((await told()).slice(2)).toEqual(['correction millbrook-practice']);
});

it('a visit makes care until it is cancelled, one that ended long ago makes none', async () => {
  const visit = (id: string, status: string, start: string, end?: string) =>
    outbox.say(sites.hospital, {
      resourceType: 'Encounter',
      id,
      status,
      class: { code: 'IMP' },
      subject: { reference: `Patient/${ids.hospital}` },
      period: { start, ...(end ? { end } : {}) },
    } as never);
  await visit(newId(), 'finished', '2020-01-01T00:00:00Z', '2020-01-03T00:00:00Z');
  await report(newId());
  expect(await told()).toEqual([]);
  const stay = newId();
  await visit(stay, 'in-progress', new Date().toISOString());
  expect(await told()).toEqual(['new harbor-hospital']);
  await visit(stay, 'cancelled', new Date().toISOString());
  await report(newId());
  expect(await told()).toHaveLength(1);
});

it('who makes an order or gets a referral, named by its key or its name, cares for the person', async () => {
  const organization = newId();
  await outbox.say(sites.lab, { resourceType: 'Organization', id: organization, name: 'the  PRACTICE' } as never);
  const request = (more: object) => ({
    resourceType: 'ServiceRequest',
    id: newId(),
    status: 'active',
    intent: 'order',
    authoredOn: new Date().toISOString(),
    subject: subject(),
    ...more,
  });
  const hospital = { identifier: { system: 'urn:causeway:participant', value: sites.hospital } };
  await outbox.say(
    sites.lab,
    request({
      requester: { reference: `Organization/${organization}` },
      performer: [hospital, { reference: 'Organization/nobody' }],
      category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }],
    }) as never,
  );
  expect(await relationships()).toEqual([
    'harbor-hospital referral ServiceRequest goes on',
    'millbrook-practice order ServiceRequest goes on',
  ]);
  await report(newId());
  expect((await told()).sort()).toEqual(['new harbor-hospital', 'new millbrook-practice']);
});
