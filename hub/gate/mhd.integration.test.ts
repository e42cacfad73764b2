/** Documents that are submitted, found and retrieved (IHE MHD), over one hub. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { assertion, assertionKey, backendService, systemToken, withToken } from '../authorization/testing.ts';
import { FhirRecord } from '../record/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { clinicalDocument, type Person, submission, uniqueId } from './testing-mhd.ts';

const fhir = { 'content-type': 'application/fhir+json' };
const ada: Person = { family: 'Ormonde', given: 'Ada', birthDate: '1951-02-03', gender: 'female', number: 'M1' };
const system = 'urn:oid:1.2.826.2';

let hub: TestHub;
let patient: string;

const provide = (bundle: Json, role = 'system') => hub.send('POST', '/fhir', bundle, { role, headers: fhir });
const statuses = (bundle: Json): string[] => bundle.entry.map(({ response }: Json) => response.status);
const idAt = (bundle: Json, i: number): string => bundle.entry[i].response.location.split('/')[1];
const text = (content: string) => ({ bytes: Buffer.from(content), contentType: 'text/plain' });

beforeAll(async () => {
  hub = await startTestHub();
  const { family, given, birthDate, gender, number } = ada;
  const made = await hub.send('POST', '/fhir/Patient', {
    resourceType: 'Patient',
    identifier: [{ system, value: number }],
    name: [{ family, given: [given] }],
    birthDate,
    gender,
  });
  patient = `Patient/${made.json.id}`;
});
afterAll(() => hub.stop());

describe('Provide Document Bundle', () => {
  it('stores a text as its patient’s, and lets it be found and retrieved as it came', async () => {
    const { status, json } = await provide(submission(patient, [text('hello')]));
    expect([status, json.type, statuses(json)]).toEqual([200, 'transaction-response', ['201', '201', '201']]);
    const found = await hub.get(`/fhir/DocumentReference?patient=${patient}&status=current&_id=${idAt(json, 1)}`);
    const { attachment } = found.json.entry[0].resource.content[0];
    expect(attachment.url).toBe(`${hub.url}/fhir/Binary/${idAt(json, 2)}`);
    const path = attachment.url.slice(hub.url.length);
    const got = await hub.get(path, { headers: { accept: 'text/plain' } });
    expect([got.status, got.text, got.headers.get('content-type')]).toEqual([200, 'hello', 'text/plain']);
    expect(got.headers.get('x-security-context')).toBe(patient);
    expect(createHash('sha1').update(got.text).digest('base64')).toBe(attachment.hash);
    expect((await hub.get(path, { headers: { accept: 'image/png' } })).status).toBe(406);
    expect((await hub.get(path, { role: 'patient' })).status).toBe(404);
  });

  it('takes a C-CDA through the inbox: one DocumentReference, with the metadata that came; facts; the original', async () => {
    const bytes = Buffer.from(clinicalDocument(ada, 'D-1'));
    const file = { bytes, contentType: 'text/xml', reference: { description: 'Sent by MHD' } };
    const { status, json, text: body } = await provide(submission(patient, [file]));
    expect([status, json.issue, statuses(json)], body).toEqual([200, undefined, ['201', '201', '201']]);
    const found = await hub.resources(`DocumentReference?patient=${patient}&description=Sent by MHD`);
    expect(found.map(({ id }) => id)).toEqual([idAt(json, 1)]);
    const [reference] = found;
    expect(await hub.resources(`DocumentReference?identifier=urn:oid:1.2.826.1|D-1`)).toHaveLength(1);
    const path = reference.content[0].attachment.url.slice(hub.url.length);
    expect(path).toBe(`/fhir/Binary/${idAt(json, 2)}`);
    const got = await hub.get(path);
    expect([got.status, got.text]).toEqual([200, bytes.toString()]);
    expect(await hub.resources(`Condition?patient=${patient}&code=38341003`)).toHaveLength(1);
    const set = await hub.get(`/fhir/List/${idAt(json, 0)}`);
    expect(set.json.entry[0].item.reference).toBe(`DocumentReference/${idAt(json, 1)}`);
    expect((await hub.get(path, { role: 'patient' })).status).toBe(404);
  });

  it('gives what conversion labels to nobody who may not see all of it', async () => {
    const bytes = Buffer.from(clinicalDocument(ada, 'D-2', '66214007'));
    const { json } = await provide(submission(patient, [{ bytes, contentType: 'text/xml' }]));
    const path = `/fhir/Binary/${idAt(json, 2)}`;
    const researcher = { role: 'researcher' };
    expect([(await hub.get(path)).status, (await hub.get(path, researcher)).status]).toEqual([200, 404]);
  });

  it('gives no original that says again what its reader may not see', async () => {
    const bea = { ...ada, family: 'Thistlewood', given: 'Bea', birthDate: '1963-07-08', number: 'M2' };
    const made = await hub.send('POST', '/fhir/Patient', {
      resourceType: 'Patient',
      identifier: [{ system, value: bea.number }],
      name: [{ family: bea.family, given: [bea.given] }],
      birthDate: bea.birthDate,
      gender: bea.gender,
    });
    const first = clinicalDocument(bea, 'D-20');
    const again = first.replace('extension="D-20"/>', 'extension="D-21"/>').replace('20240302101500', '20240402101500');
    for (const document of [first, again]) {
      expect((await hub.send('POST', '/ccda', document)).status).toBe(202);
      await hub.settled();
    }
    const references = await hub.resources(`DocumentReference?patient.identifier=${system}|${bea.number}`);
    const paths = references.map(({ content }) => content[0].attachment.url.slice(hub.url.length));
    expect(paths).toHaveLength(2);
    const [condition, ...others] = await hub.resources(`Condition?patient=${made.json.id}`);
    expect(others).toEqual([]);
    const clinician = { role: 'clinician' };
    const seen = async () => {
      const answers = await Promise.all(
        [`/fhir/Condition/${condition!.id}`, ...paths].map((path) => hub.get(path, clinician)),
      );
      return answers.map(({ status }) => status);
    };
    expect(await seen()).toEqual([200, 200, 200]);
    const filed = await hub.send('POST', '/fhir/Consent', {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: `Patient/${made.json.id}` },
      dateTime: '2026-01-01',
      policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
      provision: { type: 'deny', code: [{ coding: [{ system: 'http://snomed.info/sct', code: '38341003' }] }] },
    });
    expect(filed.status, filed.text).toBe(201);
    expect(await seen()).toEqual([404, 404, 404]);
  });

  it('replaces: the older one is superseded, whether or not the submission says so', async () => {
    const first = await provide(submission(patient, [text('one')]));
    const target = { reference: `DocumentReference/${idAt(first.json, 1)}` };
    const reference = { relatesTo: [{ code: 'replaces', target }] };
    const second = await provide(submission(patient, [{ ...text('two'), reference }]));
    expect([second.status, statuses(second.json)]).toEqual([200, ['201', '201', '201']]);
    const older = await hub.get(`/fhir/${target.reference}`);
    expect(older.json.status).toBe('superseded');
  });

  it('takes it as XML, and answers so', async () => {
    const stored = await hub.send('POST', '/fhir/Bundle', { ...submission(patient, [text('three')]), id: 'x' });
    const asXml = { headers: { accept: 'application/fhir+xml' } };
    const xml = (await hub.get(`/fhir/Bundle/${stored.json.id}`, asXml)).text.replace(/<id value="[^"]+"\/>/, '');
    const headers = { 'content-type': 'application/fhir+xml', accept: 'application/fhir+xml' };
    const answer = await hub.send('POST', '/fhir', xml, { role: 'system', headers });
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.stringContaining('<Bundle')]);
  });

  const other = { ...ada, family: 'Quillfeather', given: 'Zeno', gender: 'male' as const, birthDate: '2001-09-08' };
  it.each([
    ['no SubmissionSet', 'XDSRegistryMetadataError', (b: Json) => b.entry.shift()],
    [
      'a wrong hash',
      'XDSRepositoryMetadataError',
      (b: Json) => (b.entry[1].resource.content[0].attachment.hash = 'AAAA'),
    ],
    ['a wrong size', 'XDSRepositoryMetadataError', (b: Json) => (b.entry[1].resource.content[0].attachment.size = 1)],
    ['a document that is not there', 'XDSMissingDocument', (b: Json) => b.entry.pop()],
    ['no masterIdentifier', 'XDSMissingDocumentMetadata', (b: Json) => delete b.entry[1].resource.masterIdentifier],
    [
      'an unknown patient',
      'XDSUnknownPatientId',
      (b: Json) => {
        for (const { resource } of b.entry) if (resource.subject) resource.subject = { reference: 'Patient/nobody' };
      },
    ],
    [
      'two patients',
      'XDSUnknownPatientId',
      (b: Json) => (b.entry[1].resource.subject = { reference: 'Patient/nobody' }),
    ],
    [
      'a FHIR document',
      'FHIRDocumentNotSupported',
      (b: Json) =>
        b.entry.push({
          resource: { resourceType: 'Bundle', type: 'document' },
          request: { method: 'POST', url: 'Bundle' },
        }),
    ],
    [
      'a document of somebody else',
      'XDSPatientIdDoesNotMatch',
      (b: Json) => {
        const bytes = Buffer.from(clinicalDocument(other, 'D-9'));
        delete b.entry[1].resource.content[0].attachment.hash;
        delete b.entry[1].resource.content[0].attachment.size;
        b.entry[2].resource.data = bytes.toString('base64');
      },
    ],
  ])('refuses %s: %s, and stores nothing', async (_, code, change) => {
    const count = async () => (await hub.get('/fhir/List?_summary=count')).json.total;
    const before = await count();
    const bundle = submission(patient, [text('four')]);
    change(bundle);
    const { status, json } = await provide(bundle);
    expect([status, json.issue?.[0].diagnostics]).toEqual([422, expect.stringMatching(new RegExp(`^${code}: `))]);
    expect(await count()).toBe(before);
  });

  it('refuses comprehensive metadata that are not whole, and a masterIdentifier that is there', async () => {
    const bare = await provide(submission(patient, [text('five')], [], 'Comprehensive'));
    expect(bare.status).toBe(422);
    expect(bare.json.issue.map(({ expression }: Json) => expression[0])).toContain('Bundle.entry[1].resource.type');
    const reference = { masterIdentifier: uniqueId() };
    expect((await provide(submission(patient, [{ ...text('six'), reference }]))).status).toBe(200);
    const again = await provide(submission(patient, [{ ...text('six'), reference }]));
    expect([again.status, again.json.issue[0].diagnostics]).toEqual([
      409,
      expect.stringMatching(/^XDSDuplicateUniqueIdInRegistry/),
    ]);
  });
});

describe('a submission', () => {
  it('of an app that may not search does not ask whether there is a Patient', async () => {
    const key = await assertionKey();
    const scope = ['Patient', 'List', 'DocumentReference', 'Binary'].map((type) => `system/${type}.cr`).join(' ');
    const { id } = await backendService(hub, [key], scope);
    const token = (await systemToken(hub, await assertion(hub, id, key), scope)).json.access_token;
    const fullUrl = 'urn:uuid:0b6d3c6e-7f5a-4a0e-9d1b-2f6f0a9c1d11';
    const ifNoneExist = `identifier=${system}|${ada.number}`;
    const own = { resourceType: 'Patient', name: [{ family: 'Probe' }] };
    const asking = (request: object) => {
      const entry = { fullUrl, resource: own, request: { method: 'POST', url: 'Patient', ...request } };
      return withToken(hub, token, '/fhir', 'POST', submission(fullUrl, [text('probe')], [entry]));
    };
    expect((await asking({ ifNoneExist })).status).toBe(403);
    expect((await asking({})).status).toBe(200);
  });

  it('of an app makes nothing that its scopes do not name, however its address is written', async () => {
    const key = await assertionKey();
    const scope = `${['List', 'DocumentReference', 'Binary'].map((type) => `system/${type}.cr`).join(' ')} system/Patient.r`;
    const { id } = await backendService(hub, [key], scope);
    const token = (await systemToken(hub, await assertion(hub, id, key), scope)).json.access_token;
    const own = { resourceType: 'Patient', name: [{ family: 'Stranger' }] };
    for (const url of ['Patient', '/Patient', `${hub.url}/fhir/Patient`]) {
      const entry = { resource: own, request: { method: 'POST', url } };
      const bundle = submission(patient, [text(url)], [entry]);
      expect([url, (await withToken(hub, token, '/fhir', 'POST', bundle)).status]).toEqual([url, 403]);
    }
  });

  it('waits its turn as other bundles do, and so does what only looks like one', async () => {
    let [now, most] = [0, 0];
    const { bundle } = FhirRecord.prototype;
    const counted = vi.spyOn(FhirRecord.prototype, 'bundle').mockImplementation(async function (
      this: FhirRecord,
      ...a
    ) {
      most = Math.max(most, ++now);
      return bundle.apply(this, a).finally(() => now--);
    });
    const large = 'x'.repeat(900_000);
    const alike = { resourceType: 'Basic', code: { text: large }, meta: { profile: ['urn:x.ProvideBundle'] } };
    const batch = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ resource: alike, request: { method: 'POST', url: 'Basic' } }],
    };
    const sent = [submission(patient, [text('x'.repeat(680_000))]), submission(patient, [text('y'.repeat(680_000))])];
    const answers = await Promise.all([batch, batch, ...sent].map((one) => provide(one)));
    counted.mockRestore();
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(most).toBe(1);
  });
});

describe('what the guide finds by', () => {
  const author = [
    { resourceType: 'Practitioner', id: 'a', name: [{ family: 'Nightjar', given: ['Una'] }] },
    { resourceType: 'Practitioner', id: 'b', name: [{ family: 'Wren', given: ['Otis'] }] },
  ];

  it('is in the submission: designationType, sourceId, source; creation, authors that are contained', async () => {
    const reference = { contained: author, author: [{ reference: '#a' }], authenticator: { reference: '#b' } };
    const file = { ...text('seven'), reference, attachment: { creation: '2019-03-04T05:06:07Z' } };
    const bundle = submission(patient, [file]);
    Object.assign(bundle.entry[0].resource, { contained: [author[0]], source: { reference: '#a' } });
    const { json } = await provide(bundle);
    expect(statuses(json)).toEqual(['201', '201', '201']);
    const [set, document] = [idAt(json, 0), idAt(json, 1)];
    const list = `List?patient=${patient}&code=submissionset&status=current&_id=${set}`;
    const found = `DocumentReference?patient=${patient}&status=current&_id=${document}`;
    for (const [search, count] of [
      [`${list}&designationType=http://loinc.org|34133-9`, 1],
      [`${list}&designationType=http://loinc.org|1-1`, 0],
      [`${list}&sourceId=urn:oid:1.2.826.3`, 1],
      [`${list}&source.family=nightjar`, 1],
      [`${list}&source.given=una`, 1],
      [`${list}&source.family=wren`, 0],
      [`${found}&creation=2019-03-04`, 1],
      [`${found}&creation=gt2019-03-05`, 0],
      [`${found}&author.given=una&author.family=Night`, 1],
      [`${found}&author.family=wren`, 0],
    ] as const)
      expect([search, (await hub.resources(search)).length]).toEqual([search, count]);
  });

  it('is the mother’s maiden name too', async () => {
    const url = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
    const extension = [{ url, valueString: 'Hazelhurst' }];
    await hub.send('PUT', '/fhir/Patient/mm', {
      resourceType: 'Patient',
      id: 'mm',
      name: [{ family: 'A' }],
      extension,
    });
    expect((await hub.resources('Patient?mothersMaidenName=hazel')).map(({ id }) => id)).toEqual(['mm']);
  });
});

describe('one document alone', () => {
  it('is published by its DocumentReference, which is answered as it was created', async () => {
    const reference = {
      resourceType: 'DocumentReference',
      meta: {
        profile: ['https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.SimplifiedPublish.DocumentReference'],
      },
      masterIdentifier: uniqueId(),
      status: 'current',
      subject: { reference: patient },
      content: [{ attachment: { contentType: 'text/plain', data: Buffer.from('eight').toString('base64') } }],
    };
    const {
      status,
      json,
      text: body,
    } = await hub.send('POST', '/fhir/DocumentReference', reference, { headers: fhir });
    expect([status, json.resourceType], body).toEqual([201, 'DocumentReference']);
    const { attachment } = json.content[0];
    expect([attachment.data, attachment.size]).toEqual([undefined, 5]);
    expect((await hub.get(attachment.url.slice(hub.url.length))).text).toBe('eight');
    expect(await hub.resources(`List?item=DocumentReference/${json.id}&code=submissionset`)).toHaveLength(1);
    const { data: _, ...bare } = reference.content[0]!.attachment;
    const without = { ...reference, masterIdentifier: uniqueId(), content: [{ attachment: bare }] };
    expect((await hub.send('POST', '/fhir/DocumentReference', without, { headers: fhir })).status).toBe(422);
  });

  it('is refused where it is no JSON, as anything else is', async () => {
    const broken = '{"resourceType":"DocumentReference","meta":{"profile":["SimplifiedPublish"]},"description":oops}';
    const { status, json } = await hub.send('POST', '/fhir/DocumentReference', broken, { headers: fhir });
    expect([status, json.issue[0].code]).toEqual([400, 'structure']);
    const wrong = '{"resourceType":"DocumentReference","meta":{"profile":{"SimplifiedPublish":1}}}';
    const { status: refused } = await hub.send('POST', '/fhir/DocumentReference', wrong, { headers: fhir });
    expect([400, 422]).toContain(refused);
  });

  it('tells its metadata itself, where it is a C-CDA of somebody who is known', async () => {
    const generate = (bytes: Buffer) => {
      const resource = { resourceType: 'Binary', contentType: 'text/xml', data: bytes.toString('base64') };
      const body = { resourceType: 'Parameters', parameter: [{ name: 'document', resource }] };
      return hub.send('POST', '/fhir/DocumentReference/$generate-metadata', body, { role: 'system', headers: fhir });
    };
    const bytes = Buffer.from(clinicalDocument(ada, 'D-3'));
    const { status, json, text: body } = await generate(bytes);
    expect([status, json.resourceType], body).toEqual([200, 'Parameters']);
    const [{ name, valueReference }] = json.parameter;
    const reference = (await hub.get(valueReference.reference.slice(hub.url.length))).json;
    expect([name, reference.type.coding[0].code]).toEqual(['DocumentReference', '34133-9']);
    expect((await hub.get(reference.content[0].attachment.url.slice(hub.url.length))).text).toBe(bytes.toString());
    const stranger = Buffer.from(clinicalDocument({ ...ada, number: 'nobody' }, 'D-4'));
    expect((await generate(stranger)).json.issue[0].diagnostics).toMatch(/^XDSUnknownPatientId/);
    expect((await generate(Buffer.from('no document'))).json.issue[0].diagnostics).toMatch(/^InvalidDocumentContent/);
  });
});
