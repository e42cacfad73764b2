import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import type { Bundle, Observation } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessesIn } from '../audit/testing.ts';
import { Consents } from '../consent/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { startReceivers } from '../demo/index.ts';
import { newId } from '../record/index.ts';
import { accessOf } from '../trust/index.ts';
import { controlIdOf } from './index.ts';
import { mllpReceiver, sites, type TestOutbox, testOutbox } from './testing.ts';

const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });

let test: TestDatabase;
let outbox: TestOutbox;
let folder: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  folder = mkdtempSync(join(tmpdir(), 'causeway-outbox-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await outbox.stop();
  await test.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** A report of one potassium, as the laboratory says it. */
async function report(
  patient: string,
  ids: { report: string; result: string },
  value: number,
  status = 'final',
  more: object = {},
) {
  const subject = { reference: `Patient/${patient}` };
  const code = { coding: [{ system: 'http://loinc.org', code: '2823-3', display: 'Potassium' }] };
  const filler = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] };
  const amount = { value, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
  await outbox.say(
    sites.lab,
    { resourceType: 'Observation', id: ids.result, status, code, subject, valueQuantity: amount, ...more } as never,
    {
      resourceType: 'DiagnosticReport',
      id: ids.report,
      status: status === 'entered-in-error' ? 'final' : status,
      identifier: [{ type: filler, system: 'urn:causeway:authority:ellery-lab:LIS', value: `F-${value}` }],
      code,
      subject,
      result: [{ reference: `Observation/${ids.result}` }],
    } as never,
  );
}

const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const fresh = () => ({ report: newId(), result: newId() });

/** The receivers of the simulated region, and what they kept in the order of the deliveries. */
async function region() {
  const receivers = await startReceivers(folder, outbox.participants);
  closing.push(() => receivers.close());
  const files = (site: string) =>
    readdirSync(join(folder, 'region', site))
      .filter((name) => !name.endsWith('.part'))
      .sort();
  return {
    hospital: (): Message[] =>
      files(sites.hospital).map((name) => {
        const message = parseMessage(readFileSync(join(folder, 'region', sites.hospital, name)));
        if (isParseError(message)) throw new Error(message.message);
        return message;
      }),
    practice: (): Bundle[] =>
      files(sites.practice).map((name) =>
        JSON.parse(readFileSync(join(folder, 'region', sites.practice, name), 'utf8')),
      ),
  };
}

const summary = async () =>
  (await outbox.rows()).map(({ destination, kind, state }) => `${kind} ${destination} ${state}`).sort();

describe('a result', () => {
  it('reaches the hospital as ORU and the practice as a transaction, each under its own record number', async () => {
    const kept = await region();
    await outbox.sender().start();
    await report((await outbox.register()).lab, fresh(), 4.4);
    await outbox.until('delivered', 2);
    const [message] = kept.hospital();
    expect(message!.get('MSH-9.1')).toBe('ORU');
    expect(message!.get('PID-3.1')).toBe('hospital-Petronella');
    expect(message!.get('OBR-3.1')).toBe('F-4.4');
    expect([message!.get('OBX-3.1'), message!.get('OBX-5'), message!.get('OBX-6.1'), message!.get('OBX-11')]).toEqual([
      '2823-3',
      '4.4',
      'mmol/L',
      'F',
    ]);
    const [bundle] = kept.practice();
    const observation = bundle!.entry!.find(({ resource }) => resource?.resourceType === 'Observation')!
      .resource as Observation;
    expect(observation.subject?.identifier?.value).toBe('practice-Petronella');
    expect(observation.valueQuantity?.value).toBe(4.4);
    expect((await accessesIn(test.database)).filter(({ action }) => action === 'deliver')).toHaveLength(2);
  });

  it('has its labels with it, and lacks what the network hides, whatever the dialect', async () => {
    const kept = await region();
    const redactions = [{ elements: ['Observation.value', 'Patient.address'] }];
    await outbox.policy.put({ model: 'opt-out', zone: 'UTC', rules: [], redactions }, 'p', 'x');
    await outbox.sender().start();
    const labels = { meta: { security: [{ system: confidentiality, code: 'R' }] } };
    await report((await outbox.register()).lab, fresh(), 4.4, 'final', labels);
    await outbox.until('delivered', 2);
    const [message] = kept.hospital();
    expect([message!.get('OBX-3.1'), message!.get('OBX-5')]).toEqual(['2823-3', undefined]);
    const [bundle] = kept.practice();
    const sent = bundle!.entry!.map(({ resource }) => resource!);
    const result = sent.find(({ resourceType }) => resourceType === 'Observation') as Observation;
    expect(result.valueQuantity).toBeUndefined();
    expect(result.meta!.security!.map(({ code }) => code)).toEqual(['R', 'REDACTED']);
    expect(JSON.stringify(sent.filter(({ resourceType }) => resourceType !== 'Patient'))).not.toContain('4.4,');
  });

  it('is sent as a correction when it changed, and taken back when it was withdrawn', async () => {
    const kept = await region();
    await outbox.sender().start();
    const { lab } = await outbox.register();
    const ids = fresh();
    await report(lab, ids, 4.4);
    await outbox.until('delivered', 2);
    await report(lab, ids, 5.9, 'corrected');
    await outbox.until('delivered', 4);
    await outbox.say(sites.lab, {
      resourceType: 'Observation',
      id: ids.result,
      status: 'entered-in-error',
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      subject: { reference: `Patient/${lab}` },
    } as never);
    await outbox.until('delivered', 6);
    const seen = kept.hospital().map((one) => [one.get('OBR-25'), one.get('OBX-11'), one.get('OBX-5')]);
    expect(seen.at(-1)).toEqual(['C', 'D', undefined]);
    expect(seen).toContainEqual(['C', 'C', '5.9']);
    const last = kept.practice().at(-1)!;
    expect(last.entry!.map(({ resource }) => (resource as { status?: string }).status)).toEqual([
      'entered-in-error',
      'entered-in-error',
      undefined,
    ]);
    expect((await outbox.rows()).filter(({ kind }) => kind === 'retraction')).toHaveLength(2);
    expect(JSON.stringify(last)).not.toContain('valueQuantity');
  });

  it('that a refusal kept back is sent once the refusal is revoked: as it is then, once, in order, and not what is gone', async () => {
    new Consents(outbox.record, outbox.persons, () => 'UTC');
    await region();
    const hospital = await mllpReceiver();
    closing.push(() => hospital.close());
    await outbox.endpoint(sites.hospital, hospital.endpoint);
    await outbox.sender().start();
    const { lab } = await outbox.register();
    const consent = (status: string, to: string) => ({
      resourceType: 'Consent',
      id: 'refusal',
      status,
      scope: { coding: [{ code: 'patient-privacy' }] },
      category: [{ text: 'x' }],
      policyRule: { coding: [{ code: 'OPTOUT' }] },
      patient: { reference: `Patient/${lab}` },
      provision: {
        type: 'deny',
        actor: [
          { role: { text: 'recipient' }, reference: { identifier: { system: 'urn:causeway:participant', value: to } } },
        ],
      },
    });
    await outbox.say(sites.lab, consent('active', sites.hospital));
    const [first, second, gone] = [fresh(), fresh(), fresh()];
    await report(lab, first, 4.1);
    await report(lab, second, 4.2);
    await report(lab, gone, 4.3);
    await outbox.until('cancelled', 3);
    await outbox.until('delivered', 3);
    await report(lab, first, 5.1, 'corrected');
    await outbox.until('cancelled', 4);
    await report(lab, gone, 4.3, 'entered-in-error');
    await outbox.until('delivered', 5);
    // Another refusal of the same to the same keeps them back once more.
    await outbox.say(sites.lab, { ...consent('active', sites.hospital), id: 'another' });
    await outbox.until('cancelled', 6);
    await outbox.say(sites.lab, { ...consent('inactive', sites.hospital), id: 'another' });
    await outbox.until('cancelled', 8);
    expect(await summary()).not.toContain('new harbor-hospital delivered');
    await outbox.say(sites.lab, consent('inactive', sites.hospital));
    await outbox.until('delivered', 7);
    await outbox.say(sites.lab, consent('active', sites.practice));
    await outbox.say(sites.lab, consent('inactive', sites.practice));
    await outbox.until('delivered', 7);
    expect(hospital.messages.map((one) => one.get('OBX-5'))).toEqual(['4.2', '5.1']);
    expect((await outbox.rows()).filter(({ state }) => state === 'delivered')).toHaveLength(7);
    expect((await outbox.rows()).filter(({ state }) => state !== 'delivered' && state !== 'cancelled')).toEqual([]);
  });

  it('is not sent at all when it is withdrawn before it could be', async () => {
    const { lab } = await outbox.register();
    const ids = fresh();
    await report(lab, ids, 4.4);
    await report(lab, ids, 4.4, 'entered-in-error');
    expect(await summary()).toEqual(['new harbor-hospital cancelled', 'new millbrook-practice cancelled']);
  });

  it('is taken back, when a link is undone, only from whom it did not concern', async () => {
    const kept = await region();
    await outbox.sender().start();
    const known = await outbox.register();
    await report(known.lab, fresh(), 5.1);
    await outbox.until('delivered', 2);
    await outbox.persons.unlink(known.hospital, known.hospital, steward, 'another person');
    await outbox.until('delivered', 3);
    expect(await summary()).toEqual([
      'new harbor-hospital delivered',
      'new millbrook-practice delivered',
      'retraction harbor-hospital delivered',
    ]);
    const retraction = kept.hospital().find((one) => one.get('OBX-11') === 'W')!;
    expect(retraction.get('PID-3.1')).toBe('hospital-Petronella');
    expect(retraction.get('OBX-5')).toBeUndefined();
    expect(kept.practice()).toHaveLength(1);
  });

  it('is corrected under the record number that is left after the site merged two', async () => {
    const kept = await region();
    await outbox.sender().start();
    const first = await outbox.register();
    const ids = fresh();
    await report(first.lab, ids, 4.4);
    await outbox.until('delivered', 2);
    const { identifierSystem } = outbox.participants.byKey(sites.hospital);
    const identifier = [{ system: identifierSystem, value: 'second-number' }];
    await outbox.say(sites.hospital, outbox.patientAt('hospital', newId(), { identifier }));
    const { rows } = await test.database.query('SELECT home, patient FROM link WHERE source = $1', [sites.hospital]);
    expect(rows).toHaveLength(2);
    await outbox.say(sites.hospital, outbox.patientAt('hospital', first.hospital, { active: false }));
    expect(await outbox.rows()).toHaveLength(2);
    await report(first.lab, ids, 5.9, 'corrected');
    await outbox.until('delivered', 4);
    expect(kept.hospital().map((one) => one.get('PID-3.1'))).toEqual(['hospital-Petronella', 'second-number']);
    expect((await outbox.rows()).map(({ kind }) => kind)).toEqual(['new', 'new', 'correction', 'correction']);
  });

  it('goes to a site that comes to care for the person afterwards', async () => {
    const kept = await region();
    await outbox.sender().start();
    const lab = newId();
    await outbox.say(sites.lab, outbox.patientAt('lab', lab, { identifier: undefined }));
    await report(lab, fresh(), 4.4);
    expect(await outbox.rows()).toEqual([]);
    await outbox.register();
    await outbox.until('delivered', 2);
    expect(kept.hospital()).toHaveLength(1);
    expect(kept.practice()).toHaveLength(1);
  });
});

it('sends a discharge summary to the family practice and to nobody else', async () => {
  const kept = await region();
  await outbox.sender().start();
  const { hospital } = await outbox.register();
  await outbox.say(sites.hospital, {
    resourceType: 'DocumentReference',
    id: newId(),
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
    subject: { reference: `Patient/${hospital}` },
    content: [{ attachment: { contentType: 'text/plain', data: Buffer.from('Went home well.').toString('base64') } }],
  } as never);
  await outbox.until('delivered', 1);
  expect(await summary()).toEqual(['new millbrook-practice delivered']);
  expect(kept.practice()[0]!.entry![0]!.resource?.resourceType).toBe('DocumentReference');
});

describe('the sender', () => {
  it('lets a dead destination delay no other, and sends there in order once it lives', async () => {
    const kept = await region();
    const alive = await mllpReceiver();
    closing.push(() => alive.close());
    await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', host: '127.0.0.1', port: 1 });
    await outbox.sender().start();
    const { lab } = await outbox.register();
    const ids = fresh();
    for (const value of [1.1, 2.2, 3.3]) await report(lab, ids, value, value === 1.1 ? 'final' : 'corrected');
    await outbox.until('delivered', 3);
    expect(kept.practice()).toHaveLength(3);
    expect((await outbox.rows()).some(({ last_error }) => last_error?.includes('ECONNREFUSED'))).toBe(true);
    await outbox.endpoint(sites.hospital, alive.endpoint);
    await outbox.until('delivered', 6);
    expect(alive.messages.map((one) => one.get('OBX-5'))).toEqual(['1.1', '2.2', '3.3']);
    const sent = (await outbox.rows())
      .filter(({ destination }) => destination === sites.hospital)
      .map(({ id }) => controlIdOf(id));
    expect(alive.messages.map(({ controlId }) => controlId)).toEqual(sent);
  });

  it('sends the same bytes under the same control id after a restart in the middle', async () => {
    let silent = true;
    const receiver = await mllpReceiver(() => (silent ? 'silence' : 'accept'));
    closing.push(() => receiver.close());
    await outbox.endpoint(sites.hospital, receiver.endpoint);
    const first = outbox.sender();
    await first.start();
    await report((await outbox.register()).lab, fresh(), 4.4);
    while (receiver.messages.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await first.stop();
    silent = false;
    await outbox.sender().start();
    await outbox.until('delivered', 1);
    expect(receiver.messages.length).toBeGreaterThan(1);
    expect(new Set(receiver.messages.map(String)).size).toBe(1);
  });

  it('gives up what is refused, says why, and sends it again when asked', async () => {
    let refuses = true;
    const receiver = await mllpReceiver(() => (refuses ? 'error' : 'accept'));
    closing.push(() => receiver.close());
    await outbox.endpoint(sites.hospital, receiver.endpoint);
    await outbox.sender().start();
    await report((await outbox.register()).lab, fresh(), 4.4);
    await outbox.until('dead', 1);
    const dead = (await outbox.rows()).find(({ state }) => state === 'dead')!;
    expect(dead.last_error).toContain('Acknowledged with AE');
    expect(await outbox.deliveries.status()).toMatchObject({ deliveriesDead: 1 });
    refuses = false;
    await outbox.deliveries.replay(dead.id);
    await outbox.until('delivered', 1);
    await expect(outbox.deliveries.replay(dead.id)).rejects.toThrow('delivered');
    expect((await outbox.deliveries.list({ state: 'delivered', limit: 10 })).deliveries).toMatchObject([
      { id: dead.id, topic: 'result' },
    ]);
  });
});
