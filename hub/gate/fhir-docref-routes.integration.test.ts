/** `DocumentReference/$docref`: what is listed, and the documents that are made of a person of the simulated region. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileSchematron, loadSchematron, parseXml, type XmlElement } from '@causeway/ccda';
import { showcase } from '@causeway/region';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { assertion, assertionKey, backendService, systemToken, withToken } from '../authorization/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const people = 20;
const cases = process.env.CAUSEWAY_CASES ?? join(import.meta.dirname, '../../../shared/cases');
const schematronFile = join(cases, 'ccda/schematron/CCDA-3.0.sch');

let hub: TestHub;
let patient: string;

beforeAll(async () => {
  hub = await startTestHub({ demo: true, people, bundleBytes: 16 * 1024 * 1024 });
  for (;;) {
    const { rows } = await hub.test.database.query(`SELECT value FROM hub_state WHERE key = 'region'`);
    if (rows[0]?.value.loaded) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { name, birthDate } = showcase({ people });
  const found = await hub.get(`/fhir/Patient?family=${name.family}&given=${name.given}&birthdate=${birthDate}`);
  patient = found.json.entry[0].resource.id;
  for (const resource of further(patient)) {
    const made = await hub.send('POST', `/fhir/${resource.resourceType}`, resource);
    expect([made.status, made.text.slice(0, 200)]).toEqual([201, expect.anything()]);
  }
}, 120_000);
afterAll(() => hub.stop());

/** What the region tells of nobody, so that every section has something to tell. */
function further(id: string): Json[] {
  const subject = { reference: `Patient/${id}` };
  const loinc = (code: string, display: string) => ({ coding: [{ system: 'http://loinc.org', code, display }] });
  const snomed = (code: string, display: string) => ({
    coding: [{ system: 'http://snomed.info/sct', code, display }],
  });
  const category = (code: string) => [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
  ];
  return [
    {
      resourceType: 'Goal',
      lifecycleStatus: 'active',
      description: { text: 'Walk daily' },
      subject,
      startDate: '2026-01-05',
    },
    {
      resourceType: 'FamilyMemberHistory',
      status: 'completed',
      patient: subject,
      relationship: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH', display: 'mother' }],
      },
      condition: [{ code: snomed('38341003', 'Hypertension') }],
    },
    {
      resourceType: 'Procedure',
      status: 'completed',
      subject,
      code: snomed('80146002', 'Appendectomy'),
      performedDateTime: '2019-03-04',
    },
    {
      resourceType: 'Observation',
      status: 'final',
      subject,
      category: category('functional-status'),
      code: loinc('54522-8', 'Functional status'),
      valueCodeableConcept: snomed('371153006', 'Independent'),
      effectiveDateTime: '2026-02-03',
    },
    {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'plan',
      subject,
      code: loinc('24323-8', 'Comprehensive metabolic panel'),
      occurrenceDateTime: '2026-12-03',
    },
    {
      resourceType: 'CareTeam',
      status: 'active',
      subject,
      participant: [{ member: { display: 'Ada Adler' }, role: [{ text: 'Nurse' }] }],
    },
    { resourceType: 'Coverage', status: 'active', beneficiary: subject, payor: [{ display: 'Harbor Mutual' }] },
  ];
}

const docref = (query: string) => hub.get(`/fhir/DocumentReference/$docref?${query}`);
const urls = (json: Json): string[] =>
  (json.entry ?? []).map((one: Json) => one.resource.content[0].attachment.url ?? 'inline');
const pathOf = (url: string) => url.slice(hub.url.length);

function read(xml: string): XmlElement {
  const parsed = parseXml(xml);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.document.root;
}

describe('the list', () => {
  it('has the documents that are current: the CCD and the last stay’s summary, made when read, beside stored ones', async () => {
    const { status, json } = await docref(`patient=${patient}`);
    expect(status).toBe(200);
    const types = json.entry.map((one: Json) => one.resource.type.coding[0].code);
    expect(types[0]).toBe('34133-9');
    expect(new Set(types).size).toBeGreaterThan(1);
    const [ccd] = json.entry;
    expect(ccd.resource).toMatchObject({
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: `Patient/${patient}` },
      content: [{ attachment: { contentType: 'application/xml' } }],
    });
    expect(json.entry.every((one: Json) => one.resource.subject.reference === `Patient/${patient}`)).toBe(true);
  });

  it('is of one type, or on-demand only, where that is asked for, also by POST', async () => {
    const ccd = await docref(`patient=${patient}&type=http://loinc.org|34133-9&on-demand=true`);
    expect(ccd.json.total).toBe(1);
    const posted = await hub.send(
      'POST',
      '/fhir/DocumentReference/$docref',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'patient', valueId: patient },
          { name: 'type', valueCodeableConcept: { coding: [{ system: 'http://loinc.org', code: '34133-9' }] } },
          { name: 'on-demand', valueBoolean: true },
        ],
      },
      { headers: { 'content-type': 'application/fhir+json' } },
    );
    expect(urls(posted.json)).toEqual(urls(ccd.json));
    expect((await docref(`patient=${patient}&type=11111-1`)).json.total).toBe(0);
  });

  it('says what is wrong', async () => {
    expect((await docref('')).json.issue[0].diagnostics).toContain('patient');
    expect((await docref('patient=nobody&on-demand=true')).status).toBe(404);
    expect((await docref('patient=nobody&on-demand=true&type=34133-9')).status).toBe(404);
    expect((await docref(`patient=${patient}&start=2026-02-01&end=2025-01-01`)).status).toBe(400);
    expect((await docref(`patient=${patient}&colour=red`)).status).toBe(400);
    expect((await hub.get(`/fhir/DocumentReference/$docref?patient=${patient}`, { role: null })).status).toBe(401);
  });

  it('is named by the CapabilityStatement', async () => {
    const { json } = await hub.get('/fhir/metadata');
    const { operation } = json.rest[0].resource.find((one: Json) => one.type === 'DocumentReference');
    expect(operation).toContainEqual({
      name: 'docref',
      definition: 'http://hl7.org/fhir/us/core/OperationDefinition/docref',
    });
  });
});

describe('a document', () => {
  const ccdPath = async (more = '') =>
    pathOf(urls((await docref(`patient=${patient}&type=34133-9&on-demand=true${more}`)).json)[0]!);

  it('is a CCD with data in its sections, without an error of HL7’s Schematron where that lies beside the project', async () => {
    const { status, headers, text } = await hub.get(await ccdPath(), { headers: { accept: 'application/xml' } });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/xml; charset=utf-8']);
    const root = read(text);
    expect(root.child('code')?.attr('code')).toBe('34133-9');
    const sections = (root.find('component', 'structuredBody')?.all('component') ?? []).map(
      (one) => one.child('section')!,
    );
    const filled = sections
      .filter((one) => one.attr('nullFlavor') === undefined)
      .map((one) => one.child('code')?.attr('code'));
    // Allergies, medications, problems, procedures, results, plan, encounters, immunizations, vital signs, social and
    // family history, functional status, goals, care teams, payers.
    for (const code of [
      ...['48765-2', '10160-0', '11450-4', '47519-4', '30954-2', '18776-5', '46240-8', '11369-6', '8716-3', '29762-2'],
      ...['10157-6', '47420-5', '61146-7', '85847-2', '48768-6'],
    ])
      expect(filled).toContain(code);
    if (existsSync(schematronFile)) {
      const schematron = loadSchematron(compileSchematron(readFileSync(schematronFile)));
      expect(schematron.validate(root, 'errors')).toEqual([]);
    }
  }, 60_000);

  it('of a stay is a discharge summary', async () => {
    const { json } = await docref(`patient=${patient}&type=18842-5&on-demand=true&start=2000`);
    expect(json.total).toBeGreaterThan(0);
    const root = read((await hub.get(pathOf(urls(json)[0]!))).text);
    expect(root.child('code')?.attr('code')).toBe('18842-5');
    if (existsSync(schematronFile)) {
      const schematron = loadSchematron(compileSchematron(readFileSync(schematronFile)));
      expect(schematron.validate(root, 'errors')).toEqual([]);
    }
  }, 60_000);

  it('tells of care between two days', async () => {
    const whole = await hub.get(await ccdPath());
    const some = await hub.get(await ccdPath('&start=2026-02-01&end=2026-02-28'));
    expect(some.status).toBe(200);
    expect(some.text.length).toBeLessThan(whole.text.length);
    expect(whole.text).toContain('Appendectomy');
    expect(some.text).not.toContain('Appendectomy');
    expect((await hub.get(await ccdPath('&start=2026-02'))).status).toBe(200);
  });

  it('comes as a Binary where FHIR is asked for', async () => {
    const { json, headers } = await hub.get(await ccdPath(), { headers: { accept: 'application/fhir+json' } });
    expect(json).toMatchObject({ resourceType: 'Binary', contentType: 'application/xml' });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(read(Buffer.from(json.data, 'base64').toString()).name).toBe('ClinicalDocument');
  });

  it('is for who may read the record, and each reading is in the record of accesses', async () => {
    const path = await ccdPath();
    expect((await hub.get(path, { role: 'integration-engineer' })).status).toBe(404);
    expect((await hub.get(path, { role: null })).status).toBe(401);
    expect((await hub.get(path, { role: 'clinician' })).status).toBe(200);
    const given = (await accessesOf(hub)).filter(
      ({ what, role, status }) => what === path.slice('/fhir'.length) && role === 'clinician' && status === 200,
    );
    expect(given.map(({ patients }) => patients)).toEqual([[patient]]);
  });

  it('is opened by a token of an app only where that may read everything', async () => {
    const path = await ccdPath();
    const key = await assertionKey();
    const client = (await backendService(hub, [key], 'system/Binary.rs system/*.rs')).id;
    const tokenOf = async (scope: string) =>
      (await systemToken(hub, await assertion(hub, client, key), scope)).json.access_token as string;
    expect((await withToken(hub, await tokenOf('system/Binary.rs'), path)).status).toBe(403);
    const list = `/fhir/DocumentReference/$docref?patient=${patient}`;
    expect((await withToken(hub, await tokenOf('system/Binary.rs'), list)).status).toBe(403);
    const wide = await tokenOf('system/*.rs');
    expect((await withToken(hub, wide, path)).status).toBe(200);
    expect((await withToken(hub, wide, list)).status).toBe(200);
  });

  it('of a record that is too large is refused with what would be right', async () => {
    const made = await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient', name: [{ family: 'Muchado' }] });
    const subject = { reference: `Patient/${made.json.id}` };
    const weight = { resourceType: 'Observation', status: 'final', code: { text: 'Weight' }, subject };
    for (let day = 1; day <= 3; day++) {
      const resource = { ...weight, effectiveDateTime: `2026-01-0${day}` };
      const request = { method: 'POST', url: 'Observation' };
      const entry = Array.from({ length: 3_400 }, () => ({ resource, request }));
      const { status } = await hub.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
      expect(status).toBe(200);
    }
    const path = async (more: string) =>
      pathOf(urls((await docref(`patient=${made.json.id}&type=34133-9&on-demand=true${more}`)).json)[0]!);
    const whole = await hub.get(await path(''));
    expect([whole.status, whole.json.issue[0].code]).toEqual([422, 'too-costly']);
    expect(whole.json.issue[0].diagnostics).toContain('start, end');
    expect((await hub.get(await path('&start=2026-01-02&end=2026-01-02'))).status).toBe(200);
  }, 120_000);

  it('of nobody, or of no day, is none', async () => {
    expect((await hub.get('/fhir/Binary/ccd.00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await hub.get('/fhir/Binary/discharge.00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await hub.get(`${await ccdPath()}.20269999.-`)).status).toBe(400);
  });
});
