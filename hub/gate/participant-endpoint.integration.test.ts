/** Where an organisation receives and what it wants, as the API takes it; and a result from the FHIR interface to its socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mllpReceiver } from '../outbox/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const put = (key: string, body: object) => hub.send('PUT', `/api/participants/${key}`, body);
const mllp = { dialect: 'hl7v2', host: '127.0.0.1', port: 2575 };

describe('an endpoint', () => {
  it.each([
    ['messages', { messages: ['ORU', 'ZZZ'] }, 'a list of ADT, ORU'],
    ['messages', { messages: 'ORU' }, 'a list of ADT, ORU'],
    ['messages', { messages: ['ORU', 'ORU'] }, 'each once'],
    ['messages', { messages: ['ORM', 'OMG'] }, 'one of ORM, OMG and OML'],
    ['messages', { messages: ['OMG'], version: '2.3' }, 'came with HL7 v2.4'],
    ['version', { version: '3.0' }, 'one of 2.3, 2.3.1'],
    ['application', { application: '' }, 'application'],
    [
      'authorization',
      { url: 'https://a.example/hl7', host: undefined, port: undefined, authorization: 'secret' },
      'absolute path',
    ],
    ['url', { url: 'ftp://a.example', host: undefined, port: undefined }, 'an http address'],
    ['url', { url: 'https://me:secret@a.example', host: undefined, port: undefined }, 'without credentials'],
  ])('is refused for its %s', async (_name, wrong, sentence) => {
    const { status, text } = await put('nobody', { name: 'Nobody', kind: 'hospital', endpoint: { ...mllp, ...wrong } });
    expect([status, text]).toEqual([400, expect.stringContaining(sentence)]);
  });

  it('is kept as it was told and told again', async () => {
    const endpoint = {
      ...mllp,
      messages: ['ADT', 'ORU', 'OML'],
      version: '2.7',
      application: 'ENGINE',
      facility: 'DOOR',
      acknowledgement: 'enhanced',
    };
    expect((await put('somebody', { name: 'Somebody', kind: 'hospital', endpoint })).status).toBe(200);
    expect((await hub.get('/api/participants/somebody')).json.endpoint).toEqual(endpoint);
    expect((await put('somebody', { endpoint: null })).status).toBe(200);
    expect((await hub.get('/api/participants/somebody')).json.endpoint).toBeUndefined();
  });
});

it('a result that comes by FHIR goes out as ORU to who asked for it', async () => {
  const receiver = await mllpReceiver();
  const site = { kind: 'hospital', identifierSystem: 'urn:oid:2.999.1', identifierAuthority: 'MRN' };
  await put('lab', { name: 'The laboratory', kind: 'lab' });
  await put('hospital', { name: 'The hospital', ...site, endpoint: { ...receiver.endpoint, messages: ['ORU'] } });
  const patient = (source: string, id: string) => ({
    resourceType: 'Patient',
    id,
    meta: { tag: [{ system: 'urn:causeway:source', code: source }] },
    identifier: [{ system: source === 'hospital' ? 'urn:oid:2.999.1' : 'urn:oid:2.999.2', value: id }],
    name: [{ family: 'Quillfeather', given: ['Petronella'] }],
    birthDate: '1957-03-14',
    gender: 'female',
    telecom: [{ system: 'phone', value: '555-0199' }],
    address: [{ line: ['9 Heron Lane'], city: 'Sedgewick', postalCode: '04999' }],
  });
  for (const [source, id] of [
    ['hospital', 'H-1'],
    ['lab', 'L-1'],
  ] as const)
    expect((await hub.send('PUT', `/fhir/Patient/${id}`, patient(source, id))).status).toBe(201);
  const report = {
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
    subject: { reference: 'Patient/L-1' },
    conclusion: 'Normal.',
  };
  expect((await hub.send('POST', '/fhir/DiagnosticReport', report)).status).toBe(201);
  for (let tries = 0; receiver.messages.length === 0 && tries < 500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  await receiver.close();
  const [message] = receiver.messages;
  expect(['MSH-9.2', 'PID-3.1', 'PID-3.4.1', 'OBR-4.1', 'NTE-3'].map((path) => message?.get(path as 'MSH-9'))).toEqual([
    'R01',
    'H-1',
    'MRN',
    '2823-3',
    'Normal.',
  ]);
});
