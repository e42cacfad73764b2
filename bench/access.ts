/**
 * `npm run bench:access`: what the access decision costs. The same reads and searches by the hub's own access, for which
 * nothing is decided, and by a clinician's, among many people of whom many gave consents. README.md says what is compared.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { accessCondition, accessOf } from '../hub/trust/index.ts';
import type { FhirName } from './client/operations.ts';
import { type Client, startClient } from './client/start.ts';
import { type Figures, fhirTarget, measureFhir, type Subject, withUsage } from './measure.ts';
import { isFailure, rounded, tableHead, tableLines } from './report.ts';
import { type BenchHub, startHub } from './server/hub.ts';
import { machine, versions } from './server/machine.ts';
import { untilQuiet } from './server/usage.ts';

const launcher = join(import.meta.dirname, '../hub/bin/causeway.js');
const ofOnePatient: FhirName[] = ['read', 'search_patient_code', 'search_patient_date_sort', 'everything'];
const ofMany: FhirName[] = ['search_code', 'search_code_date'];
const clients = 8;
const sampled = 300;
const perTransaction = 100;
/** Observations of the hub's own making come in larger ones. */
const observationsPerTransaction = 500;
const senders = 8;
const measured = ['2339-0', '6299-2', '38483-4', '2947-0', '6298-4', '4548-4', '2093-3', '2571-8'];

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '4000' },
    consents: { type: 'string', default: '11000' },
    // So many Observations in all: what the stories do not have is added, short ones, to everybody alike.
    observations: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'string' },
  },
});

const hub = await startHub();
const client = startClient();
try {
  await run(hub, client);
} finally {
  client.stop();
  await hub.stop();
}

async function run(hub: BenchHub, client: Client): Promise<void> {
  const subject: Subject = { base: hub.base, token: hub.token, run: `a${Date.now().toString(36)}`, hub };
  const seconds = Number(values.seconds);
  const stories = { kind: 'stories', people: Number(values.people), from: 0, visits: [8, 14], namesakes: 0 } as const;
  const filled = await client.call('fill', fhirTarget(subject), stories);
  await consent(hub, await patientsOf(hub), Number(values.consents));
  const told = await total(hub, 'Observation');
  await observe(hub, await patientsOf(hub), Number(values.observations) - told);
  const observations = await total(hub, 'Observation');
  console.log(`${filled.resources} resources, ${observations} of them Observations; ${values.consents} consents`);
  await untilQuiet(hub.pid, hub.postmaster);
  const known = await client.call('sample', fhirTarget(subject), filled.patients, sampled, []);
  const clinician = execFileSync(
    process.execPath,
    [launcher, 'token', '--role', 'clinician', '--data-dir', hub.dataDir, '--port', new URL(hub.url).port],
    { encoding: 'utf8' },
  ).trim();
  const results: Record<string, Figures> = {};
  const codes = await client.call('tokenValues', fhirTarget(subject), filled.patients);
  console.log(tableHead);
  for (const round of [1, 2]) {
    for (const [who, token] of [
      ['custodian', hub.token],
      ['clinician', clinician],
    ] as const) {
      const asked: Subject = { ...subject, token };
      for (const name of [...ofOnePatient, ...ofMany]) {
        const effort = { seconds, warmSeconds: 2 };
        const work = { name, clients: [clients], known, synthea: undefined };
        note(results, `${name} ${who} ${round}`, await measureFhir(work, client, asked, effort));
      }
      const paths = codes.map(({ path }) => `${path}&_total=accurate`);
      await client.call('preparePaths', fhirTarget(asked), clients, paths, 2);
      note(results, `total ${who} ${round}`, await withUsage(hub, clients, () => client.call('run', seconds)));
    }
  }
  const decision = decisionMs();
  console.log(`a decision, made and written as SQL: ${decision.toFixed(4)} ms`);
  const ratios = Object.fromEntries([...ofOnePatient, ...ofMany, 'total'].map((name) => [name, ratio(results, name)]));
  for (const [name, times] of Object.entries(ratios)) console.log(`${name}: ${times.toFixed(2)} × without a decision`);
  const written = {
    machine: machine(),
    versions: versions(hub.postmaster),
    date: new Date().toISOString(),
    observations,
    decision_ms: decision,
  };
  if (values.json)
    writeFileSync(
      values.json,
      `${JSON.stringify({ ...written, options: { ...values, json: undefined }, ratios, results }, null, 2)}\n`,
    );
}

function note(results: Record<string, Figures>, name: string, figures: Figures): void {
  const found = rounded(figures);
  if (isFailure(found)) throw new Error(found.error);
  results[name] = found;
  for (const line of tableLines(name, found)) console.log(line);
}

/** CPU of hub and PostgreSQL an operation, a clinician's over the hub's own, both rounds. */
function ratio(results: Record<string, Figures>, name: string): number {
  const cpu = (who: string) =>
    [1, 2].reduce((sum, round) => sum + results[`${name} ${who} ${round}`]!.cpu_ms_per_op!, 0);
  return cpu('clinician') / cpu('custodian');
}

/** What a decision costs by itself: of who asks and the policy, to the condition on rows. In ms, the median of rounds. */
function decisionMs(): number {
  const user = {
    username: 'ann',
    name: 'Ann',
    role: 'clinician',
    organization: 'Clinic',
    participant: 'clinic',
  } as const;
  const perRound = 5_000;
  const rounds = Array.from({ length: 9 }, () => {
    const begun = performance.now();
    for (let i = 0; i < perRound; i++) {
      const values: unknown[] = [];
      accessCondition(accessOf(user), 'r', (value) => `$${values.push(value)}`);
    }
    return (performance.now() - begun) / perRound;
  });
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!;
}

/** Adds short Observations, as many of each person, over twenty-five years, none of which a consent of the run refuses. */
async function observe(hub: BenchHub, patients: string[], count: number): Promise<void> {
  const entryOf = (i: number) => ({
    resource: {
      resourceType: 'Observation',
      status: 'final',
      code: {
        coding: [
          { system: 'http://loinc.org', code: measured[Math.min(i % (measured.length + 3), measured.length - 1)] },
        ],
      },
      subject: { reference: `Patient/${patients[Math.floor(i / measured.length) % patients.length]}` },
      effectiveDateTime: new Date(Date.UTC(2000, 0, 1) + ((i * 7_919) % 9_000) * 86_400_000).toISOString().slice(0, 10),
      valueQuantity: { value: (i * 31) % 200, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
    },
    request: { method: 'POST', url: 'Observation' },
  });
  let from = 0;
  const send = async () => {
    while (from < count) {
      const begin = from;
      from += observationsPerTransaction;
      const entry = Array.from({ length: Math.min(observationsPerTransaction, count - begin) }, (_, i) =>
        entryOf(begin + i),
      );
      const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
      await ask(hub, '', { method: 'POST', body });
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
}

/** Consents of several kinds, one after the other of each person: against an organisation, of a kind of data, of a time. */
async function consent(hub: BenchHub, patients: string[], count: number): Promise<void> {
  const actor = (value: string) => [
    {
      role: { coding: [{ code: 'IRCP' }] },
      reference: { identifier: { system: 'urn:causeway:participant', value } },
    },
  ];
  const kinds = [
    { type: 'deny', actor: actor('elsewhere') },
    { type: 'deny', securityLabel: [{ code: 'PSY' }], purpose: [{ code: 'HPAYMT' }] },
    { type: 'permit', purpose: [{ code: 'TREAT' }], provision: [{ type: 'deny', actor: actor('far-away') }] },
    // Of Observations: a refusal by time alone would hide the Patient too, which has none.
    {
      type: 'deny',
      class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
      dataPeriod: { start: '1990', end: '1999' },
    },
  ];
  for (let from = 0; from < count; from += perTransaction) {
    const entry = Array.from({ length: Math.min(perTransaction, count - from) }, (_, i) => ({
      resource: {
        resourceType: 'Consent',
        status: 'active',
        scope: { coding: [{ code: 'patient-privacy' }] },
        category: [{ text: 'x' }],
        patient: { reference: `Patient/${patients[(from + i) % patients.length]}` },
        dateTime: '2026-01-01',
        policyRule: { coding: [{ code: 'OPTIN' }] },
        verification: [{ verified: true }],
        provision: kinds[(from + i) % kinds.length],
      },
      request: { method: 'POST', url: 'Consent' },
    }));
    await ask(hub, '', {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
    });
  }
}

async function patientsOf(hub: BenchHub): Promise<string[]> {
  const ids: string[] = [];
  let next: string | undefined = `${hub.base}/Patient?_count=1000&_elements=id`;
  while (next) {
    const bundle: { entry?: { resource: { id: string } }[]; link: { relation: string; url: string }[] } = await ask(
      hub,
      next,
    );
    ids.push(...(bundle.entry ?? []).map(({ resource }) => resource.id));
    next = bundle.link.find(({ relation }) => relation === 'next')?.url;
  }
  return ids;
}

async function total(hub: BenchHub, type: string): Promise<number> {
  return ((await ask(hub, `${hub.base}/${type}?_summary=count`)) as { total: number }).total;
}

async function ask<T>(hub: BenchHub, address: string, init: RequestInit = {}): Promise<T> {
  const headers = { authorization: `Bearer ${hub.token}`, 'content-type': 'application/fhir+json' };
  const answer = await fetch(address || hub.base, { ...init, headers });
  if (!answer.ok) throw new Error(`${answer.status}: ${(await answer.text()).slice(0, 500)}`);
  return (await answer.json()) as T;
}
