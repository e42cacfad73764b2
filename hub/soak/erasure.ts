/**
 * The proof of an erasure: a hub over a database of its own is told of a person in every way, the person is erased, and after
 * the maintenance no byte of it is in the database's files, in a back-up made then (opened), an export or the log.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, createReadStream, createWriteStream, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backUp, framesOfBackup, patientClient } from '../backup/index.ts';
import type { Config } from '../config.ts';
import { runningDatabase } from '../database/index.ts';
import { masterKey } from '../secrets/index.ts';
import { callsOf, type HubCalls, hubConfig, type Json } from '../testing-calls.ts';
import { adt, oru } from '../testing-messages.ts';
import { lookThrough, lookThroughFiles, needlesOf, type Sighting } from './canaries.ts';
import { dataFolder } from './hub-under-test.ts';

const canaries = {
  family: 'Zwentiboldt',
  given: 'Kunigundis',
  number: 'MRN-884417731',
  social: '987-65-4329',
  street: '77 Wolkenkuckucksheim',
  phone: '555-0188-4471',
  mail: 'kunigundis@zwentiboldt.example',
  note: 'geheimnisvolle Schwellung am linken Öhrläppchen',
  scan: 'Röntgenbild mit Fremdkörper Teelöffel',
  account: 'zwentikuni',
  evidence: 'Reisepass C01X00T478',
  emergency: 'Bewusstlos im Hallenbad gefunden',
  line: 'Penizillinunverträglichkeitsreaktion',
} as const;
/** Somebody else, who stays. */
const other = { id: 'MRN-220011', family: 'Brambleward', given: 'Ida', birth: '19700101', sex: 'F' };

export interface ErasureProof {
  /** Before: that what is looked for can be found. */
  before: Sighting[];
  /** After the erasure and before the maintenance: what PostgreSQL leaves. */
  between: Sighting[];
  /** In an earlier back-up, as it is. */
  earlier: Sighting[];
  /** Afterwards, in files, in a back-up (opened), an export, the log. */
  after: Sighting[];
  /** What was looked through. */
  files: number;
  bytes: number;
  /** That the other person is as before. */
  isOtherWhole: boolean;
  maintenanceMs: number;
  counts: { [what: string]: number };
}

export async function proveErasure(say: (text: string) => void): Promise<ErasureProof> {
  const dataDir = dataFolder();
  chmodSync(dataDir, 0o755);
  const beside = `${dataDir}-beside`;
  mkdirSync(beside);
  const log = join(beside, 'hub.log');
  const config: Config = { ...hubConfig(dataDir, 'embedded'), logLevel: 'debug' };
  const hub = await startHubProcess(config, log);
  try {
    const calls = callsOf(hub.url, dataDir);
    say('telling the hub of a person');
    const patient = await tell(calls);
    const needles = needlesOf(Object.values(canaries));
    const isKey = (path: string) => path.startsWith(join(dataDir, 'keys'));
    const database = (await runningDatabase(dataDir))!;
    const client = await patientClient(database.superuser);
    await client.query('ANALYZE');
    await client.query('CHECKPOINT');
    const before = await lookThroughFiles(dataDir, needles, isKey);
    say(`found in ${new Set(before.sightings.map(({ where }) => where)).size} files before`);
    const master = masterKey(dataDir, true);
    const earlierFile = join(beside, 'earlier');
    await backUp(database.connection, master, 'nowhere', createWriteStream(earlierFile));
    const earlier = await lookThrough('earlier back-up', createReadStream(earlierFile), needles);

    const counts = await erase(calls, patient);
    const between = await lookThroughFiles(dataDir, needles, isKey);
    say('erased; maintenance');
    const begun = performance.now();
    await maintained(calls);
    const maintenanceMs = Math.round(performance.now() - begun);
    await client.end();

    const later = join(beside, 'later');
    await backUp(database.connection, master, 'nowhere', createWriteStream(later));
    const opened = framesOfBackup(createReadStream(later), master);
    const exported = await exportAll(calls);
    const lookedAt = await lookThroughFiles(dataDir, needles, isKey);
    const after = [
      ...lookedAt.sightings,
      ...(await lookThrough('later back-up', createReadStream(later), needles)),
      ...(await lookThrough('later back-up, opened', opened, needles)),
      ...(await lookThrough('export', pieces(exported), needles)),
      ...(await lookThrough('log', createReadStream(log), needles)),
    ];
    const found = await calls.get(`/fhir/Observation?patient.identifier=${other.id}`);
    const isOtherWhole = exported.includes(other.family) && found.json.entry?.length === 1;
    const { files, bytes } = lookedAt;
    return {
      before: before.sightings,
      between: between.sightings,
      earlier,
      after,
      files,
      bytes,
      isOtherWhole,
      maintenanceMs,
      counts,
    };
  } finally {
    await hub.stop();
    rmSync(dataDir, { recursive: true, force: true });
    rmSync(beside, { recursive: true, force: true });
  }
}

async function* pieces(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function startHubProcess(config: Config, log: string): Promise<{ url: string; stop(): Promise<void> }> {
  const script = join(import.meta.dirname, 'hub-process.ts');
  const child: ChildProcess = spawn(process.execPath, [script, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', openSync(log, 'w')],
  });
  let told = '';
  for await (const chunk of child.stdout!) {
    told += chunk;
    if (told.includes('\n')) break;
  }
  if (!told.includes('\n')) throw new Error('The hub did not start.');
  const stop = async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  return { url: (JSON.parse(told) as { url: string }).url, stop };
}

/** Tells of the person by messages, resources, documents, imports, accounts, accesses. @returns its source Patient's id */
async function tell(calls: HubCalls): Promise<string> {
  const { family, given, number, social, street, phone, mail, note, scan, account, evidence, emergency, line } =
    canaries;
  const person = { id: number, family, given, birth: '19310713', sex: 'F', street, phone, ssn: social };
  const must = async (method: string, path: string, body?: string | object, role?: string, type?: string) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    const answer = await calls.send(method, path, body, { ...(role === undefined ? {} : { role }), headers });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  };
  for (const message of [
    adt('A04', person),
    adt('A08', { ...person, street: `${street} b` }),
    oru(person, { order: 'o1', code: '718-7', value: '3.1', unit: 'g/dL' }),
    adt('A04', other),
    oru(other, { order: 'o2', code: '718-7', value: '12.1', unit: 'g/dL' }),
  ]) {
    await must('POST', '/inbox', message, 'system', 'application/octet-stream');
  }
  const [patient] = await untilFound(calls, `Patient?identifier=${number}`);
  const reference = { reference: `Patient/${patient}` };
  await untilFound(calls, `Observation?patient=${patient}`);
  const fhir = (resource: Json) => must('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  await fhir({ resourceType: 'Condition', id: 'swelling', subject: reference, code: { text: note } });
  await fhir({ resourceType: 'Condition', id: 'swelling', subject: reference, code: { text: `${note}, ${mail}` } });
  const data = Buffer.from(scan).toString('base64');
  await fhir({ resourceType: 'Binary', id: 'scan', contentType: 'text/plain', data, securityContext: reference });
  const content = [{ attachment: { contentType: 'text/plain', url: 'Binary/scan', title: scan } }];
  await fhir({ resourceType: 'DocumentReference', id: 'doc', status: 'current', subject: reference, content });
  const name = [{ family, given: [given] }];
  await fhir({
    resourceType: 'Patient',
    id: 'own',
    name,
    birthDate: '1931-07-13',
    gender: 'female',
    telecom: [{ system: 'email', value: mail }],
  });
  await calls.get(`/fhir/Patient?family=${family}&given=${given}&phone=${phone}`);
  await calls.get(`/fhir/Condition?code:text=${encodeURIComponent(note)}`);
  const lines = [
    { resourceType: 'AllergyIntolerance', id: 'imported', patient: reference, code: { text: line } },
    { resourceType: 'AllergyIntolerance', id: 'wrong', patient: reference, code: { text: line }, type: 17 },
  ];
  const ndjson = lines.map((one) => `${JSON.stringify(one)}\n`).join('');
  const started = await calls.send('POST', '/fhir/$import', ndjson, {
    headers: { 'content-type': 'application/fhir+ndjson', prefer: 'respond-async' },
  });
  await untilFound(calls, 'AllergyIntolerance?_id=imported').catch(() => {
    throw new Error(`The import did not come in: ${started.status} ${started.text}`);
  });
  await calls.send('POST', '/api/users', {
    username: account,
    name: `${given} ${family}`,
    role: 'patient',
    organization: 'self',
  });
  await calls.send('POST', `/api/patients/${patient}/bindings`, { username: account, relation: 'self', evidence });
  await calls.send(
    'POST',
    '/api/emergency',
    { patient, reasonCode: 'unconscious', reason: emergency },
    { role: 'clinician' },
  );
  return patient!;
}

async function untilFound(calls: HubCalls, search: string): Promise<string[]> {
  for (let waited = 0; waited < 60_000; waited += 50) {
    const { json } = await calls.get(`/fhir/${search}`);
    const ids = ((json?.entry ?? []) as Json[]).map(({ resource }) => resource.id as string);
    if (ids.length > 0) return ids;
    await delay(50);
  }
  throw new Error('What was sent did not come into the record.');
}

async function erase(calls: HubCalls, patient: string): Promise<{ [what: string]: number }> {
  const by = async (officer: string, method: string, path: string, body?: object) => {
    const authorization = `Bearer ${await calls.token('privacy-officer', officer)}`;
    const answer = await calls.send(method, path, body, { role: null, headers: { authorization } });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  };
  const asked = { patient, legalBasis: 'GDPR art. 17', reason: 'Asked for in writing; case 2026/17.' };
  const { id } = await by('olga', 'POST', '/api/erasures', asked);
  await by('pavel', 'POST', `/api/erasures/${id}/confirm`);
  for (;;) {
    const { erasures } = await by('olga', 'GET', '/api/erasures');
    const found = erasures.find((one: Json) => one.id === id);
    if (found.state === 'erased') return found.counts;
    await delay(50);
  }
}

async function maintained(calls: HubCalls): Promise<void> {
  await calls.send('POST', '/api/erasures/maintenance');
  for (;;) {
    const { maintenance } = (await calls.get('/api/erasures')).json;
    if (maintenance.state === 'failed') throw new Error(`The maintenance failed: ${maintenance.reason}`);
    if (maintenance.state === 'done') return;
    await delay(50);
  }
}

async function exportAll(calls: HubCalls): Promise<string> {
  const headers = { prefer: 'respond-async', accept: 'application/fhir+json' };
  const begun = await calls.get('/fhir/$export', { headers });
  const place = new URL(begun.headers.get('content-location')!).pathname;
  for (;;) {
    const { status, json } = await calls.get(place);
    if (status === 202) {
      await delay(50);
      continue;
    }
    const texts = await Promise.all(
      json.output.map(async ({ url }: Json) => (await calls.get(url.slice(new URL(url).origin.length))).text),
    );
    return texts.join('');
  }
}
