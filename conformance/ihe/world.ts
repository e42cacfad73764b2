/** A hub with people of two sites and documents, and how a case of IHE's guides is told. */
import { type Person, type SubmittedFile, submission } from '../../hub/gate/testing-mhd.ts';
import type { Answer, Json } from '../../hub/testing-calls.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';

export const [red, blue] = ['urn:oid:1.2.3.1', 'urn:oid:1.2.826.2'] as const;
export const fhirJson = { 'content-type': 'application/fhir+json' };
export const asXml = { accept: 'application/fhir+xml' };

/** What a guide says that a server shall do, and what tries it. */
export interface Case {
  /** Transaction and section: `ITI-83 2:3.83.4.2.2.2`. */
  place: string;
  asks: string;
  run(world: World): Promise<void>;
}

export interface World {
  hub: AskedHub;
  /** Of whom documents are, as a reference. */
  patient: string;
}

export const ada: Person = {
  family: 'Ormonde',
  given: 'Ada',
  birthDate: '1951-02-03',
  gender: 'female',
  number: 'B-1',
};
const otto: Person = { family: 'Birkenfeld', given: 'Otto', birthDate: '1931-11-30', gender: 'male', number: 'R-2' };
const mother = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

/** A person as a Patient of a site. */
export function described({ family, given, birthDate, gender }: Person, more: Json = {}): Json {
  return {
    resourceType: 'Patient',
    extension: [{ url: mother, valueString: 'Hazelhurst' }],
    active: true,
    name: [{ family, given: [given] }],
    birthDate,
    gender,
    telecom: [{ system: 'phone', value: given === 'Ada' ? '+15550001111' : '+15550002222' }],
    address: [
      { line: [`${given.length} Elm Street`], city: 'Saltby', state: 'ME', postalCode: '04101', country: 'US' },
    ],
    ...more,
  };
}

/** ITI-104: a site tells of one of its patients. */
export function feed(hub: AskedHub, person: Person, system: string, value: string, more: Json = {}): Promise<Answer> {
  const body = described(person, { identifier: [{ system, value }], ...more });
  return hub.send('PUT', `/fhir/Patient?identifier=${encodeURIComponent(`${system}|${value}`)}`, body, {
    headers: fhirJson,
  });
}

export async function makeWorld(): Promise<World> {
  const hub = await startAskedHub();
  await feed(hub, ada, red, 'R-1');
  const { json } = await feed(hub, ada, blue, 'B-1');
  await feed(hub, otto, red, 'R-2');
  return { hub, patient: `Patient/${json.id}` };
}

/** The resources that a search finds. */
export async function found({ hub }: World, search: string): Promise<Json[]> {
  const { status, json, text } = await hub.get(`/fhir/${search}`);
  demand(status === 200, `${search} was answered ${status}: ${text.slice(0, 200)}`);
  return (json.entry ?? []).filter((one: Json) => one.search.mode === 'match').map(({ resource }: Json) => resource);
}

/** A submission that has to be taken. */
export async function provided(
  world: World,
  files: SubmittedFile[],
  change: (bundle: Json) => void = () => {},
): Promise<Json> {
  const bundle = submission(world.patient, files);
  change(bundle);
  const { status, json, text } = await world.hub.send('POST', '/fhir', bundle, { role: 'system', headers: fhirJson });
  demand(status === 200, `a submission was answered ${status}: ${text.slice(0, 300)}`);
  return json;
}

export function idAt(bundle: Json, at: number): string {
  return bundle.entry[at].response.location.split('/')[1];
}

export const textFile = (content: string): SubmittedFile => ({
  bytes: Buffer.from(content),
  contentType: 'text/plain',
});

export function demand(isSo: unknown, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise);
}

export function same(one: unknown, other: unknown, what: string): void {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  demand(a === b, `${what}: ${a} instead of ${b}`);
}
