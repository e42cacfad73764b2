/**
 * Two hubs that exchange (docs/network.md), over their public interfaces alone: made known to each other, and the way of one person
 * shown step by step.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { neighbourSites, showcase } from '@causeway/region';
import { usualScope } from '../network/index.ts';
import { signToken, tokenKey } from '../secrets/index.ts';

/** A hub of the demonstration. */
export interface DemoHub {
  /** By which the other one knows it. */
  key: string;
  name: string;
  url: string;
  dataDir: string;
  /** Its files of witnesses, and of the logs that it is a witness for. */
  auditWitnesses: string;
  witnessFor: string;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes.
type Json = any;

const lookMs = 25;
const patienceMs = 120_000;
const hemoglobinA1c = '4548-4';

/** Makes each a participant, a client and a peer of the other. */
export async function acquaint(one: DemoHub, other: DemoHub): Promise<void> {
  for (const [hub, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    await ask(hub, 'PUT', `/api/participants/${peer.key}`, { name: peer.name, kind: 'hub' });
    const { client } = await ask(peer, 'POST', '/api/clients', {
      client_name: hub.name,
      grant_types: ['client_credentials'],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `${hub.url}/oauth/jwks`,
      scope: usualScope,
      organization: hub.key,
    });
    await ask(hub, 'PUT', `/api/peers/${peer.key}`, { url: `${peer.url}/fhir`, clientId: client.id });
  }
}

/** Makes each the witness of the other's audit log; resolves when both have cosigned. */
export async function witnessEachOther(one: DemoHub, other: DemoHub): Promise<void> {
  const pairs = [
    [one, other],
    [other, one],
  ] as const;
  for (const [hub, peer] of pairs) {
    const log = await until(async () => (await ask(hub, 'GET', '/audit/keys')).trim() || undefined);
    writeFileSync(peer.witnessFor, `${log}\n`);
    const { verifier } = await ask(peer, 'GET', '/api/audit/witness');
    writeFileSync(hub.auditWitnesses, `witness ${peer.key} ${verifier} ${peer.url}/witness\nquorum ${peer.key}\n`);
  }
  for (const [hub] of pairs) {
    await until(async () => (await ask(hub, 'GET', '/api/audit/status')).witnesses[0]?.cosigned);
  }
}

/** Shows how a person of the town is found at its neighbour, fetched and followed. @param say is told each step */
export async function journey(
  town: DemoHub,
  neighbour: DemoHub,
  region: { people: number; seed: number },
  say: (text: string) => void,
): Promise<void> {
  const { name, birthDate } = showcase(region);
  const wanted = `Patient?family=${name.family}&given=${name.given}&birthdate=${birthDate}`;
  const patient = await patientAt(town, wanted);
  const before = await count(town, patient.id);
  say(`${name.given} ${name.family}, born ${birthDate}, is known to ${town.name}: ${before} observations.`);
  const asked = performance.now();
  await ask(town, 'POST', `/api/persons/${patient.id}/networks`, {}, 'clinician');
  const found = await until(async () => {
    const { networks } = await ask(town, 'GET', `/api/persons/${patient.id}/networks`, undefined, 'clinician');
    return networks[0].state === 'asking' ? undefined : networks[0];
  });
  if (found.state !== 'followed') throw new Error(`The neighbour’s answer came to ${found.state}: ${found.reason}`);
  say(
    `A clinician asks ${neighbour.name}: found, joined, ${found.resources} resources fetched in ${sinceMs(asked)} ms.`,
  );
  const { id } = await patientAt(town, wanted);
  const fetched = await organizations(town, id);
  say(`${await count(town, id)} observations now; told there by ${fetched.join(', ')}.`);
  const there = await patientAt(neighbour, wanted);
  const sent = performance.now();
  await sendResult(neighbour, there, { name, birthDate });
  say(`At ${neighbour.name} the laboratory sends a new result by HL7 v2 …`);
  const today = new Date().toISOString().slice(0, 10);
  await until(async () => {
    const { entry } = await ask(town, 'GET', `/fhir/Observation?patient=${id}&code=${hemoglobinA1c}&date=ge${today}`);
    return entry?.length > 0 ? true : undefined;
  });
  say(`… and it is in the chart of ${town.name} after ${sinceMs(sent)} ms, by itself.`);
  const back = await patientAt(neighbour, wanted);
  const held = await count(neighbour, back.id);
  await ask(neighbour, 'POST', `/api/persons/${back.id}/networks`, {}, 'clinician');
  await until(async () => {
    const { networks } = await ask(neighbour, 'GET', `/api/persons/${back.id}/networks`, undefined, 'clinician');
    return networks[0].state === 'asking' ? undefined : networks[0];
  });
  const now = await count(neighbour, (await patientAt(neighbour, wanted)).id);
  say(
    `${neighbour.name} asks back: it gets the ${now - held} observations of the town’s own, and none of its own again.`,
  );
}

/** A result of today, as the neighbour's laboratory writes it. */
async function sendResult(
  hub: DemoHub,
  patient: Json,
  person: { name: { family: string; given: string }; birthDate: string },
) {
  const lab = neighbourSites().find(({ kind }) => kind === 'lab')!;
  const number = patient.identifier.find(({ system }: Json) => system === lab.identifierSystem)?.value;
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const { family, given } = person.name;
  const message = [
    `MSH|^~\\&|${lab.sendingApplication}|${lab.sendingFacility}|||${time}+0000||ORU^R01|DEMO${Date.now()}|P|${lab.v2Version}`,
    `PID|1||${number}^^^${lab.identifierAuthority}^PI||${family}^${given}||${person.birthDate.replaceAll('-', '')}`,
    `OBR|1||DEMO${Date.now()}^${lab.sendingApplication}|${hemoglobinA1c}^Hemoglobin A1c^LN|||${time}+0000|||||||||||||||${time}+0000||LAB|F`,
    `OBX|1|NM|${hemoglobinA1c}^Hemoglobin A1c^LN||7.4|%|4.0-5.6|H|||F|||${time}+0000`,
    '',
  ].join('\r');
  await ask(hub, 'POST', '/hl7', message, 'system', 'application/hl7-v2');
}

async function patientAt(hub: DemoHub, search: string): Promise<Json> {
  const { entry } = await ask(hub, 'GET', `/fhir/${search}`);
  if (!entry?.length) throw new Error(`${hub.name} does not know the person.`);
  return entry[0].resource;
}

async function count(hub: DemoHub, patient: string): Promise<number> {
  const { total } = await ask(hub, 'GET', `/fhir/Observation?patient=${patient}&_summary=count&_total=accurate`);
  return total;
}

/** The organisations that stated, at the other hub, what was fetched of a person. */
async function organizations(hub: DemoHub, patient: string): Promise<string[]> {
  const { entry = [] } = await ask(hub, 'GET', `/fhir/Patient/${patient}/$everything?_count=5000`);
  const tags = entry.flatMap(({ resource }: Json) => resource.meta?.tag ?? []);
  const told = tags.filter(({ system }: Json) => system === 'urn:causeway:origin-organization');
  return [...new Set<string>(told.map(({ display, code }: Json) => display ?? code))];
}

async function ask(
  { url, dataDir, name }: DemoHub,
  method: string,
  path: string,
  body?: object | string,
  role = 'administrator',
  type = 'application/json',
): Promise<Json> {
  const token = await signToken(tokenKey(dataDir), { subject: `demo-${role}`, role, expiresInSeconds: 300 });
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${name} answered ${method} ${path} with ${answer.status}: ${text.slice(0, 300)}`);
  return text.startsWith('{') ? JSON.parse(text) : text;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await delay(lookMs)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('It did not come about in time.');
}

function sinceMs(begun: number): number {
  return Math.round(performance.now() - begun);
}
