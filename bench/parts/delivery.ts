/**
 * The outbox alone: results of a laboratory for people who are known at a hospital and at a practice are stored, which
 * makes one delivery to each; then the sender is started and timed until the last is acknowledged.
 */
import { fork } from 'node:child_process';
import type { Resource } from '@medplum/fhirtypes';
import { AuditLog } from '../../hub/audit/index.ts';
import type { Database } from '../../hub/database/index.ts';
import { PersonIndex } from '../../hub/identity/index.ts';
import { Derivation, Sender } from '../../hub/outbox/index.ts';
import { FhirRecord, homePatient, IndexKey, newId } from '../../hub/record/index.ts';
import { fixedMasterKey, newDataKey } from '../../hub/secrets/index.ts';
import { AccessLog, type Endpoint, NetworkPolicy, Participants, routesTo } from '../../hub/trust/index.ts';
import { patientOf } from '../data/patient.ts';
import { drawsFrom } from '../data/random.ts';
import { usageOf } from '../server/usage.ts';
import { withDatabase } from './database.ts';

export interface DeliveryResult {
  /** Deliveries acknowledged by their receivers per second. */
  rate_per_s: number;
  /** CPU of Node and PostgreSQL per delivery: claim, compose, send, settle; the receivers not counted. */
  cpu_ms_per_op: number;
  hub_cpu_ms_per_op: number;
  postgres_cpu_ms_per_op: number;
  operations: number;
}

const pollMs = 20;
const patienceMs = 120_000;
const silent = { error() {}, warn() {}, info() {}, debug() {}, trace() {} };

/** Delivers so many people's results, one of each person, to two receivers. */
export async function deliveryRun(people: number): Promise<DeliveryResult> {
  const sink = fork(`${import.meta.dirname}/sink-process.ts`, { execArgv: [] });
  try {
    const ports = await new Promise<{ mllp: number; http: number }>((resolve) =>
      sink.once('message', resolve as never),
    );
    return await withDatabase((database, postmaster) => delivered(database, postmaster, ports, people));
  } finally {
    sink.kill();
  }
}

async function delivered(
  database: Database,
  postmaster: number,
  ports: { mllp: number; http: number },
  people: number,
): Promise<DeliveryResult> {
  const record = new FhirRecord(database, fixedMasterKey(newDataKey()), new IndexKey(1, newDataKey()));
  const persons = new PersonIndex(database, record);
  const participants = new Participants(database);
  let sender: Sender | undefined;
  const derivation = new Derivation(record, persons, participants, (...derived) => sender?.derived(...derived));
  await register(participants, 'hospital', { dialect: 'hl7v2', host: '127.0.0.1', port: ports.mllp });
  await register(participants, 'practice', { dialect: 'fhir', url: `http://127.0.0.1:${ports.http}/fhir` });
  await register(participants, 'lab', undefined);
  for (let person = 0; person < people; person++) await tell(record, person);

  const waiting = await left(database);
  if (waiting < people) throw new Error(`${people} results made ${waiting} deliveries; two each were expected.`);
  sender = new Sender({
    database,
    record,
    participants,
    policy: new NetworkPolicy(database),
    accessLog: new AccessLog(database, new AuditLog(database, fixedMasterKey(newDataKey()))),
    http: { allowed: () => ['http://127.0.0.1'], keys: async () => [] },
    mail: { direct: undefined, pickup: undefined },
    log: silent as never,
    retell: (...missed) => derivation.retell(...missed),
  });
  const before = usageOf(process.pid, postmaster);
  const begun = performance.now();
  await sender.start();
  while ((await left(database)) > 0) {
    if (performance.now() - begun > patienceMs) throw new Error('Not everything was delivered after two minutes.');
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const seconds = (performance.now() - begun) / 1000;
  const after = usageOf(process.pid, postmaster);
  await sender.stop();
  const hub = (after.hubCpuMs - before.hubCpuMs) / waiting;
  const postgres = (after.postgresCpuMs - before.postgresCpuMs) / waiting;
  return {
    rate_per_s: waiting / seconds,
    cpu_ms_per_op: hub + postgres,
    hub_cpu_ms_per_op: hub,
    postgres_cpu_ms_per_op: postgres,
    operations: waiting,
  };
}

async function left(database: Database): Promise<number> {
  const { rows } = await database.query(`SELECT count(*) AS count FROM delivery WHERE state <> 'delivered'`);
  return Number(rows[0]!.count);
}

function register(participants: Participants, kind: string, endpoint: Endpoint | undefined): Promise<void> {
  return participants.put({
    key: kind,
    name: `The ${kind}`,
    kind,
    sendingFacility: kind.toUpperCase(),
    sendingApplication: undefined,
    identifierSystem: `https://bench.example/${kind}`,
    identifierAuthority: `${kind.toUpperCase()}MRN`,
    settings: {},
    routes: routesTo(endpoint),
  });
}

/** One person as each site knows them, and a laboratory's report of eight results. */
async function tell(record: FhirRecord, serial: number): Promise<void> {
  const patient = patientOf(drawsFrom(serial), String(serial));
  let subject = '';
  for (const kind of ['hospital', 'practice', 'lab']) {
    subject = newId();
    const identifier = [{ system: `https://bench.example/${kind}`, value: `${kind}-${serial}` }];
    await say(record, kind, [{ ...patient, id: subject, identifier }]);
  }
  const about = { status: 'final' as const, subject: { reference: `Patient/${subject}` } };
  const coded = (code: string) => ({ coding: [{ system: 'http://loinc.org', code, display: `Result ${code}` }] });
  const amount = { value: 4.4, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
  const results = ['2823-3', '2951-2', '2075-0', '2028-9', '3094-0', '2160-0', '2345-7', '17861-6'].map(
    (code): Resource => ({
      resourceType: 'Observation',
      id: newId(),
      ...about,
      code: coded(code),
      valueQuantity: amount,
    }),
  );
  const report: Resource = {
    resourceType: 'DiagnosticReport',
    id: newId(),
    ...about,
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] },
        system: 'urn:causeway:authority:lab:LIS',
        value: `F-${serial}`,
      },
    ],
    code: coded('24323-8'),
    result: results.map(({ id }) => ({ reference: `Observation/${id}` })),
  };
  await say(record, 'lab', [...results, report]);
}

async function say(record: FhirRecord, source: string, resources: Resource[]): Promise<void> {
  const tag = [{ system: 'urn:causeway:source', code: source }];
  const stated = resources.map((resource) => {
    const scanned = record.scan(JSON.stringify({ ...resource, meta: { tag } }), resource.resourceType);
    return { scanned, type: resource.resourceType, id: resource.id! };
  });
  await record.writer.write({
    keys: stated,
    patients: stated.flatMap(({ scanned, id }) => homePatient(scanned, id) ?? []),
    apply: (set) => {
      for (const { scanned, type, id } of stated) set.put(scanned, type, id);
    },
  });
}
