/**
 * `npm run conformance:bulk-client -- --client DIR`: SMART's bulk-data-client, unchanged, exports a hub with the simulated
 * region, all of it and one Group, and what it downloaded is counted against what the hub finds. DIR is an installed copy of
 * https://github.com/smart-on-fhir/bulk-data-client (1.2.1), which no package registry has. It runs under Node 18, the last
 * that it supports: under later ones it ends with 0 and has downloaded nothing, so its exit code is not asked.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import {
  type AssertionKey,
  assertion,
  assertionKey,
  backendService,
  systemToken,
} from '../../hub/authorization/testing.ts';
import { type AskedHub as Asked, withBearer } from '../../hub/bulk/testing.ts';
import type { Json } from '../../hub/testing-calls.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';

const run = promisify(execFile);
const people = 40;
const members = 5;
const timeoutMs = 300_000;
const scope = 'system/*.rs';
/** Go with exports of patients and belong to none; and Groups, which name others too and are in none of some patients. */
const notOfMembers = [
  'Group',
  'Device',
  'HealthcareService',
  'Location',
  'Medication',
  'Organization',
  'Practitioner',
  'PractitionerRole',
];

type Counts = Map<string, number>;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { client: { type: 'string' }, node: { type: 'string' } } });
  const client = resolve(values.client ?? '');
  if (values.client === undefined || !existsSync(join(client, 'built/app.js'))) {
    console.error(
      'Name an installed copy of bulk-data-client: --client DIR [--node PATH of Node 18, otherwise npx node@18]',
    );
    return 2;
  }
  const node = values.node === undefined ? ['npx', '-y', 'node@18'] : [values.node];
  const hub = await startAskedHub({ demo: true, people });
  const folder = mkdtempSync(join(tmpdir(), 'causeway-bulk-client-'));
  try {
    const key = await assertionKey();
    const { id } = await backendService(hub, [key], scope);
    const own = await asking(hub, id, key);
    const group = await storeGroup(hub, own);
    const downloaded = async (name: string, level: object) => {
      const destination = join(folder, name);
      mkdirSync(destination);
      const config = join(folder, `${name}.cjs`);
      const privateKey = { ...(await crypto.subtle.exportKey('jwk', key.privateKey)), kid: key.kid, alg: key.alg };
      const settings = {
        fhirUrl: `${hub.url}/fhir`,
        tokenUrl: `${hub.url}/oauth/token`,
        clientId: id,
        privateKey,
        scope,
        destination,
        ...level,
      };
      writeFileSync(config, `module.exports = ${JSON.stringify(settings)};\n`);
      const [command, ...before] = [...node, join(client, 'built/app.js'), '--config', config, '--reporter', 'text'];
      const { stdout } = await run(command!, before, { timeout: timeoutMs, cwd: folder, maxBuffer: 64 * 1024 * 1024 });
      const counts = countsIn(destination);
      if (counts.size === 0) throw new Error(`The client downloaded nothing and said: ${stdout}`);
      return counts;
    };
    const whole = await downloaded('system', { global: true });
    const failed = [...differences('system', whole, await countsOf(await asking(hub, id, key)))];
    const some = without(await downloaded('group', { group }), notOfMembers);
    const held = without(await countsOfMembers(await asking(hub, id, key), group), notOfMembers);
    failed.push(...differences('group', some, held));
    for (const line of failed) console.log(line);
    return failed.length === 0 ? 0 : 1;
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function asking(hub: AskedHub, id: string, key: AssertionKey): Promise<Asked> {
  const { status, json, text } = await systemToken(hub, await assertion(hub, id, key), scope);
  if (status !== 200) throw new Error(text);
  return withBearer(hub, json.access_token);
}

async function read(own: Asked, path: string): Promise<Json> {
  const { status, json, text } = await own.get(path);
  if (status !== 200) throw new Error(`${path}: ${text}`);
  return json;
}

/** A Group of some of the region's patients. */
async function storeGroup(hub: AskedHub, own: Asked): Promise<string> {
  const { entry } = await read(own, `/fhir/Patient?_count=${members}`);
  const member = entry.map(({ resource }: Json) => ({ entity: { reference: `Patient/${resource.id}` } }));
  const group = { resourceType: 'Group', id: 'some', type: 'person', actual: true, member };
  const { status, text } = await hub.send('PUT', '/fhir/Group/some', group);
  if (status > 201) throw new Error(text);
  return 'some';
}

/** Lines of files by the type that they hold. */
function countsIn(folder: string): Counts {
  const counts: Counts = new Map();
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.ndjson') && one !== 'log.ndjson')) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (line !== '') add(counts, JSON.parse(line).resourceType, 1);
    }
  }
  return counts;
}

/** What searches for all of each type find. */
async function countsOf(own: Asked): Promise<Counts> {
  const counts: Counts = new Map();
  const { rest } = await read(own, '/fhir/metadata');
  for (const { type } of rest[0].resource) {
    const { total } = await read(own, `/fhir/${type}?_summary=count`);
    if (total > 0) counts.set(type, total);
  }
  return counts;
}

/** What the record of each member holds, and all Provenance of that. */
async function countsOfMembers(own: Asked, group: string): Promise<Counts> {
  const found = new Set<string>();
  for (const { entity } of (await read(own, `/fhir/Group/${group}`)).member) {
    for (const name of await namesOf(own, `/fhir/${entity.reference}/$everything?_count=1000`)) found.add(name);
  }
  const isFound = ({ target = [] }: Json) => target.some(({ reference }: Json) => found.has(reference));
  const provenance = await namesOf(own, '/fhir/Provenance?_count=1000', isFound);
  const counts: Counts = new Map();
  for (const name of new Set([...found, ...provenance])) add(counts, name.split('/')[0]!, 1);
  return counts;
}

/** `Type/id` of what is on all pages. */
async function namesOf(
  own: Asked,
  first: string,
  isWanted: (resource: Json) => boolean = () => true,
): Promise<string[]> {
  const names: string[] = [];
  for (let next: string | undefined = first; next !== undefined; ) {
    const page: Json = await read(own, next);
    const resources: Json[] = (page.entry ?? []).map(({ resource }: Json) => resource);
    names.push(...resources.filter(isWanted).map(({ resourceType, id }) => `${resourceType}/${id}`));
    next = page.link?.find(({ relation }: Json) => relation === 'next')?.url.slice(own.url.length);
  }
  return names;
}

function add(counts: Counts, type: string, more: number): void {
  counts.set(type, (counts.get(type) ?? 0) + more);
}

function without(counts: Counts, types: readonly string[]): Counts {
  return new Map([...counts].filter(([type]) => !types.includes(type)));
}

/** Tells both counts of each type; returns the differences, and one where there was nothing. */
function differences(name: string, downloaded: Counts, held: Counts): string[] {
  const types = [...new Set([...downloaded.keys(), ...held.keys()])].sort();
  const told = types.map((type) => `${type} ${downloaded.get(type) ?? 0} of ${held.get(type) ?? 0}`);
  console.log(`${name}: ${told.join(', ')}`);
  const differing = types.filter((type) => downloaded.get(type) !== held.get(type));
  if (types.length === 0) return [`${name}: nothing was downloaded`];
  return differing.map(
    (type) => `${name}: ${type}: ${downloaded.get(type) ?? 0} downloaded, ${held.get(type) ?? 0} there`,
  );
}
