/** Which HL7 v2 messages a destination gets that asks for them, over real sockets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acknowledge, isParseError, type Message, type Outcome, parseMessage } from '@causeway/hl7v2';
import type { V2MessageCode } from '@causeway/mapping';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { accessOf, type V2Endpoint } from '../trust/index.ts';
import { mllpReceiver, type Site, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });

let test: TestDatabase;
let outbox: TestOutbox;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
});
afterEach(async () => {
  await outbox.stop();
  for (const close of closing.splice(0).reverse()) await close();
  await test.drop();
});

// biome-ignore lint/suspicious/noExplicitAny: resources of many types.
type Stated = any;

/** A receiver at a site that asks for messages; whatever else is told of it stands in the endpoint. */
async function listen(site: Site, messages: V2MessageCode[], more: Partial<V2Endpoint> = {}): Promise<TestReceiver> {
  const receiver = await mllpReceiver();
  closing.push(() => receiver.close());
  await outbox.endpoint(sites[site], { ...receiver.endpoint, messages, ...more } as V2Endpoint);
  return receiver;
}

const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
const of = (patient: string) => ({ subject: { reference: `Patient/${patient}` } });

/** A report of one potassium, whose source says nothing of corrections. */
async function report(patient: string, ids: { report: string; result: string }, value: number, status = 'final') {
  await outbox.say(
    sites.lab,
    {
      resourceType: 'Observation',
      id: ids.result,
      status,
      code: loinc('2823-3'),
      ...of(patient),
      valueQuantity: { value, unit: 'mmol/L' },
    } as Stated,
    {
      resourceType: 'DiagnosticReport',
      id: ids.report,
      status: 'final',
      identifier: [{ system: 'urn:causeway:authority:ellery-lab:LIS', value: 'F-1' }],
      code: loinc('24323-8'),
      ...of(patient),
      result: [{ reference: `Observation/${ids.result}` }],
    } as Stated,
  );
}

/** Resolves with what came, once it is so many messages. */
async function came(receiver: TestReceiver, count: number): Promise<Message[]> {
  for (let tries = 0; receiver.messages.length < count; tries++) {
    if (tries > 500) throw new Error(`${receiver.messages.length} messages came, not ${count}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return receiver.messages;
}

/** Says something and waits until it has come, so that nothing is withdrawn before it was sent. */
async function told(receiver: TestReceiver, site: Site, ...resources: Stated[]): Promise<void> {
  const before = receiver.messages.length;
  await outbox.say(sites[site], ...resources);
  await came(receiver, before + 1);
}

const type = (message: Message) => `${message.type.code}^${message.type.event}`;
const values = (message: Message, ...paths: string[]) => paths.map((path) => message.get(path as 'PID-3'));

describe('results', () => {
  it('go out as ORU, a changed one as a correction though its source does not say so, a withdrawn one without value', async () => {
    const hospital = await listen('hospital', ['ORU']);
    await outbox.sender().start();
    const { lab } = await outbox.register();
    const ids = { report: newId(), result: newId() };
    await report(lab, ids, 4.4);
    await came(hospital, 1);
    await report(lab, ids, 5.9);
    await came(hospital, 2);
    await report(lab, ids, 5.9, 'entered-in-error');
    const messages = await came(hospital, 3);
    expect(messages.map(type)).toEqual(['ORU^R01', 'ORU^R01', 'ORU^R01']);
    expect(messages.map((one) => values(one, 'PID-3.1', 'OBR-3.1', 'OBR-25', 'OBX-11', 'OBX-5', 'OBX-15.1'))).toEqual([
      ['hospital-Petronella', 'F-1', 'F', 'F', '4.4', 'ellery-lab'],
      ['hospital-Petronella', 'F-1', 'C', 'C', '5.9', 'ellery-lab'],
      ['hospital-Petronella', 'F-1', 'C', 'D', undefined, 'ellery-lab'],
    ]);
  });

  it('carry who ordered them, the specimen and the visit', async () => {
    const hospital = await listen('hospital', ['ORU']);
    await outbox.sender().start();
    const { lab } = await outbox.register();
    const [doctor, request, specimen, visit, result] = [newId(), newId(), newId(), newId(), newId()];
    await outbox.say(
      sites.lab,
      { resourceType: 'Practitioner', id: doctor, name: [{ family: 'Adler', given: ['Max'] }] } as Stated,
      {
        resourceType: 'Encounter',
        id: visit,
        status: 'finished',
        class: { code: 'AMB' },
        identifier: [{ value: 'V1' }],
        ...of(lab),
      } as Stated,
      {
        resourceType: 'ServiceRequest',
        id: request,
        status: 'completed',
        intent: 'order',
        code: loinc('2823-3'),
        requester: { reference: `Practitioner/${doctor}` },
        ...of(lab),
      } as Stated,
      {
        resourceType: 'Specimen',
        id: specimen,
        type: { text: 'Blood' },
        identifier: [{ value: 'S1' }],
        ...of(lab),
      } as Stated,
      {
        resourceType: 'Observation',
        id: result,
        status: 'final',
        code: loinc('2823-3'),
        valueString: 'normal',
        ...of(lab),
      } as Stated,
      {
        resourceType: 'DiagnosticReport',
        id: newId(),
        status: 'final',
        code: loinc('2823-3'),
        basedOn: [{ reference: `ServiceRequest/${request}` }],
        specimen: [{ reference: `Specimen/${specimen}` }],
        encounter: { reference: `Encounter/${visit}` },
        result: [{ reference: `Observation/${result}` }],
        ...of(lab),
      } as Stated,
    );
    const [message] = await came(hospital, 1);
    expect(values(message!, 'OBR-16.2', 'PV1-19.1', 'OBX-5')).toEqual(['Adler', 'V1', 'normal']);
    expect(message!.all('SPM')).toHaveLength(1);
  });
});

describe('a destination', () => {
  it('gets no message that it did not ask for', async () => {
    const hospital = await listen('hospital', ['SIU']);
    await outbox.sender().start();
    const { lab, practice } = await outbox.register();
    await report(lab, { report: newId(), result: newId() }, 4.4);
    await outbox.say(sites.practice, appointment(newId(), practice, 'booked'));
    expect((await came(hospital, 1)).map(type)).toEqual(['SIU^S12']);
    expect((await outbox.rows()).filter(({ destination }) => destination === sites.hospital)).toHaveLength(1);
  });

  it('gets them in its version and under the names by which it receives', async () => {
    const hospital = await listen('hospital', ['ORU'], {
      version: '2.3.1',
      application: 'ENGINE',
      facility: 'BACKDOOR',
    });
    await outbox.sender().start();
    const { lab } = await outbox.register();
    await report(lab, { report: newId(), result: newId() }, 4.4);
    const [message] = await came(hospital, 1);
    expect(values(message!, 'MSH-12', 'MSH-5', 'MSH-6', 'MSH-9.3')).toEqual(['2.3.1', 'ENGINE', 'BACKDOOR', undefined]);
  });

  it('that is a laboratory gets orders for the people whom it knows, once it asks for them', async () => {
    const lab = await listen('lab', ['OMG']);
    await outbox.sender().start();
    const { practice } = await outbox.register();
    const order = {
      resourceType: 'ServiceRequest',
      id: newId(),
      status: 'active',
      intent: 'order',
      code: loinc('58410-2'),
      ...of(practice),
    } as Stated;
    await told(lab, 'practice', order);
    await told(lab, 'practice', { ...order, note: [{ text: 'fasting' }] });
    await told(lab, 'practice', { ...order, status: 'revoked' });
    const messages = await came(lab, 3);
    expect(messages.map((one) => [type(one), ...values(one, 'PID-3.1', 'ORC-1', 'OBR-4.1')])).toEqual([
      ['OMG^O19', 'lab-Petronella', 'NW', '58410-2'],
      ['OMG^O19', 'lab-Petronella', 'XO', '58410-2'],
      ['OMG^O19', 'lab-Petronella', 'CA', '58410-2'],
    ]);
  });
});

it('an order that comes with its report is told by the report alone', async () => {
  const hospital = await listen('hospital', ['ORU', 'ORM']);
  await outbox.sender().start();
  const { lab } = await outbox.register();
  const request = newId();
  const order = { resourceType: 'ServiceRequest', id: request, status: 'active', intent: 'order', code: loinc('1-8') };
  await outbox.say(
    sites.lab,
    { ...order, ...of(lab) } as Stated,
    {
      resourceType: 'DiagnosticReport',
      id: newId(),
      status: 'final',
      code: loinc('1-8'),
      basedOn: [{ reference: `ServiceRequest/${request}` }],
      ...of(lab),
    } as Stated,
  );
  await outbox.say(sites.lab, { ...order, id: newId(), ...of(lab) } as Stated);
  expect((await came(hospital, 2)).map(type)).toEqual(['ORU^R01', 'ORM^O01']);
});

const visit = (id: string, patient: string, status: string, more: object = {}): Stated => ({
  resourceType: 'Encounter',
  id,
  status,
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  identifier: [{ value: 'V-1', system: 'urn:oid:2.999.3' }],
  ...of(patient),
  ...more,
});

describe('visits and people', () => {
  it('a visit is told as admission, update, discharge; one that never was as a cancelled admission', async () => {
    const practice = await listen('practice', ['ADT']);
    await outbox.sender().start();
    const { hospital } = await outbox.register();
    await came(practice, 1);
    const [first, second] = [newId(), newId()];
    await told(practice, 'hospital', visit(first, hospital, 'in-progress'));
    await told(practice, 'hospital', visit(first, hospital, 'in-progress', { priority: { text: 'urgent' } }));
    await told(practice, 'hospital', visit(first, hospital, 'finished'));
    await told(practice, 'hospital', visit(second, hospital, 'arrived', { class: { code: 'AMB' } }));
    await told(practice, 'hospital', visit(second, hospital, 'entered-in-error', { class: { code: 'AMB' } }));
    const visits = practice.messages.filter((one) => !['A31', 'A28'].includes(one.type.event));
    expect(visits.map((one) => one.type.event)).toEqual(['A01', 'A08', 'A03', 'A04', 'A11']);
    for (const one of visits) expect(values(one, 'PID-3.1', 'PV1-19.1')).toEqual(['practice-Petronella', 'V-1']);
  });

  it('changed demographics go out as A31, the destination’s own number first', async () => {
    const hospital = await listen('hospital', ['ADT']);
    await outbox.sender().start();
    const { practice } = await outbox.register();
    await came(hospital, 2);
    await told(
      hospital,
      'practice',
      outbox.patientAt('practice', practice, { maritalStatus: { coding: [{ code: 'M' }] } }),
    );
    const message = hospital.messages.at(-1)!;
    expect([type(message), ...values(message, 'PID-3.1', 'PID-3[2].1', 'PID-16.1', 'PV1-2')]).toEqual([
      'ADT^A31',
      'hospital-Petronella',
      'practice-Petronella',
      'M',
      'N',
    ]);
  });

  it('a merge goes out as A40: who stays in PID, who goes in MRG', async () => {
    const hospital = await listen('hospital', ['ADT']);
    await outbox.sender().start();
    const { practice } = await outbox.register();
    const second = newId();
    const number = [{ system: outbox.participants.byKey(sites.practice).identifierSystem, value: 'practice-2' }];
    await outbox.say(sites.practice, outbox.patientAt('practice', second, { identifier: number }));
    await outbox.say(
      sites.practice,
      outbox.patientAt('practice', second, {
        identifier: number,
        active: false,
        link: [{ other: { reference: `Patient/${practice}` }, type: 'replaced-by' }],
      }),
    );
    const merged = async () => hospital.messages.find((one) => one.type.event === 'A40');
    for (let tries = 0; !(await merged()) && tries < 300; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const message = (await merged())!;
    expect(values(message, 'PID-3.1', 'PID-3[2].1', 'MRG-1.1')).toEqual([
      'hospital-Petronella',
      'practice-Petronella',
      'practice-2',
    ]);
    expect(hospital.messages.some((one) => ['A23', 'A29'].includes(one.type.event))).toBe(false);
  });

  it('a person who turns out to be another is unlinked by A37', async () => {
    const hospital = await listen('hospital', ['ADT']);
    await outbox.sender().start();
    const ids = await outbox.register();
    await outbox.say(sites.practice, outbox.patientAt('practice', ids.practice, { maritalStatus: { text: 'M' } }));
    await outbox.until('delivered', 1);
    await outbox.persons.unlink(ids.practice, ids.practice, steward, 'another person');
    for (let tries = 0; hospital.messages.at(-1)!.type.event !== 'A37' && tries < 300; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const pids = hospital.messages.at(-1)!.all('PID');
    expect(pids.map((pid) => pid.field(3).repetitions[0]!.component(1).sub(1))).toEqual([
      'hospital-Petronella',
      'practice-Petronella',
    ]);
  });
});

function appointment(id: string, patient: string, status: string, more: object = {}): Stated {
  return {
    resourceType: 'Appointment',
    id,
    status,
    start: '2026-12-01T09:00:00Z',
    end: '2026-12-01T09:30:00Z',
    participant: [{ actor: { reference: `Patient/${patient}` }, status: 'accepted' }],
    ...more,
  };
}

it('appointments go out as SIU: booked, moved, cancelled, missed', async () => {
  const hospital = await listen('hospital', ['SIU']);
  await outbox.sender().start();
  const { practice } = await outbox.register();
  const [first, second] = [newId(), newId()];
  await told(hospital, 'practice', appointment(first, practice, 'booked'));
  await told(hospital, 'practice', appointment(first, practice, 'booked', { start: '2026-12-01T10:00:00Z' }));
  await told(hospital, 'practice', appointment(first, practice, 'cancelled'));
  await told(hospital, 'practice', appointment(second, practice, 'booked'));
  await told(hospital, 'practice', appointment(second, practice, 'noshow'));
  const messages = await came(hospital, 5);
  expect(messages.map((one) => one.type.event)).toEqual(['S12', 'S14', 'S15', 'S12', 'S26']);
  expect(values(messages[1]!, 'SCH-11.4', 'SCH-2.1', 'SCH-25.1', 'PID-3.1')).toEqual([
    '20261201100000+0000',
    first,
    'BOOKED',
    'hospital-Petronella',
  ]);
});

it('immunizations go out as VXU with their observations: added, updated, deleted', async () => {
  const hospital = await listen('hospital', ['VXU'], { version: '2.5.1' });
  await outbox.sender().start();
  const { practice } = await outbox.register();
  const [id, eligibility] = [newId(), newId()];
  const shot = (status: string, lotNumber: string): Stated => ({
    resourceType: 'Immunization',
    id,
    status,
    patient: { reference: `Patient/${practice}` },
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '08' }] },
    occurrenceDateTime: '2026-02-10',
    lotNumber,
  });
  await told(hospital, 'practice', shot('completed', 'LOT1'), {
    resourceType: 'Observation',
    id: eligibility,
    status: 'final',
    code: loinc('64994-7'),
    partOf: [{ reference: `Immunization/${id}` }],
    valueString: 'V01',
    ...of(practice),
  } as Stated);
  await told(hospital, 'practice', shot('completed', 'LOT2'));
  await told(hospital, 'practice', shot('entered-in-error', 'LOT2'));
  const messages = await came(hospital, 3);
  expect(messages.map((one) => [type(one), ...values(one, 'RXA-5.1', 'RXA-15', 'RXA-21', 'OBX-5')])).toEqual([
    ['VXU^V04', '08', 'LOT1', 'A', 'V01'],
    ['VXU^V04', '08', 'LOT2', 'U', 'V01'],
    ['VXU^V04', '08', undefined, 'D', undefined],
  ]);
});

it('prescriptions go out as RDE, plans do not', async () => {
  const hospital = await listen('hospital', ['RDE']);
  await outbox.sender().start();
  const { practice } = await outbox.register();
  const prescription = {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '197696' }] },
    ...of(practice),
  };
  await outbox.say(sites.practice, { ...prescription, id: newId(), intent: 'plan' } as Stated);
  await outbox.say(sites.practice, { ...prescription, id: newId() } as Stated);
  const messages = await came(hospital, 1);
  expect([type(messages[0]!), ...values(messages[0]!, 'RXE-2.1', 'ORC-1')]).toEqual(['RDE^O11', '197696', 'NW']);
  expect(await outbox.rows()).toHaveLength(1);
});

it('documents go out as MDM, with what lies in a Binary inline', async () => {
  const hospital = await listen('hospital', ['MDM']);
  await outbox.sender().start();
  const { practice } = await outbox.register();
  const [id, binary] = [newId(), newId()];
  const letter = (more: object): Stated => ({
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    type: loinc('11488-4'),
    content: [{ attachment: { contentType: 'text/plain', url: `Binary/${binary}` } }],
    ...of(practice),
    ...more,
  });
  const data = Buffer.from('Seen today.').toString('base64');
  await outbox.say(sites.practice, { resourceType: 'Binary', id: binary, contentType: 'text/plain', data } as Stated);
  await told(hospital, 'practice', letter({}));
  await told(hospital, 'practice', letter({ description: 'A letter' }));
  await told(hospital, 'practice', letter({ status: 'entered-in-error' }));
  const messages = await came(hospital, 3);
  expect(messages.map((one) => [type(one), ...values(one, 'TXA-12.1', 'OBX-5', 'PV1-2')])).toEqual([
    ['MDM^T02', id, 'Seen today.', 'N'],
    ['MDM^T08', id, 'Seen today.', 'N'],
    ['MDM^T11', id, undefined, 'N'],
  ]);
});

describe('a destination over HTTP', () => {
  it('is POSTed each message, with its authorization, and answers with the acknowledgement', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-http-'));
    const authorization = join(folder, 'authorization');
    writeFileSync(authorization, 'Bearer secret\n');
    const seen: { headers: IncomingHttpHeaders; message: Message }[] = [];
    let outcome: Outcome = 'error';
    const server = createServer(async (request, response) => {
      const message = parseMessage(Buffer.concat(await request.toArray()));
      if (isParseError(message)) throw new Error(message.message);
      seen.push({ headers: request.headers, message });
      const answer = acknowledge(message, { outcome, time: new Date(), controlId: String(seen.length) })!;
      response.writeHead(outcome === 'accept' ? 200 : 500, { 'content-type': 'application/hl7-v2' }).end(answer.bytes);
      outcome = 'accept';
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hl7`;
    await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', url, authorization, messages: ['ORU'] });
    await outbox.sender().start();
    const { lab } = await outbox.register();
    await report(lab, { report: newId(), result: newId() }, 4.4);
    await outbox.until('delivered', 1);
    expect(seen).toHaveLength(2);
    expect(new Set(seen.map(({ message }) => String(message))).size).toBe(1);
    expect(seen[0]!.headers['content-type']).toContain('application/hl7-v2');
    expect(seen[0]!.headers.authorization).toBe('Bearer secret');
    expect(seen[0]!.message.get('PID-3.1')).toBe('hospital-Petronella');
  });
});
