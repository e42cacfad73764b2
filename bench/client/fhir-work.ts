/** The FHIR operations that are measured, against any FHIR R4 server. */
import { type PatientStory, patientStory, searchedCode } from '../data/bundle.ts';
import { patientOf } from '../data/patient.ts';
import { drawsFrom } from '../data/random.ts';
import { type Answer, HttpConnection } from './http-connection.ts';
import type { Work } from './load.ts';

export const fhirNames = [
  'ingest',
  'create',
  'read',
  'search_patient_code',
  'search_patient_name',
  'everything',
] as const;
export type FhirName = (typeof fhirNames)[number];

/** A person that the server knows, under the id it gave. */
export interface KnownPatient {
  id: string;
  family: string;
  birthDate: string;
}

export interface FhirTarget {
  /** The address of the FHIR API. */
  base: string;
  token: string | undefined;
  /** Keeps the people of several runs against one server apart. */
  run: string;
}

/** Stores so many people, each with their story, for the reads and searches that follow. */
export async function seed(target: FhirTarget, people: number): Promise<KnownPatient[]> {
  const connection = new HttpConnection(target.base, target.token);
  const known: KnownPatient[] = [];
  for (let serial = 0; serial < people; serial++) {
    const story = patientStory(`${target.run}-seed`, serial);
    const { body } = expect(await connection.request('POST', '', story.text), 'The transaction', 200);
    const { entry } = JSON.parse(body.toString()) as { entry: { response: { location?: string } }[] };
    const id = /Patient\/([^/]+)/.exec(entry[story.patientEntry]?.response.location ?? '')?.[1];
    if (id === undefined) throw new Error('The answer to a transaction names no location of the Patient.');
    known.push({ id, family: story.family, birthDate: story.birthDate });
  }
  connection.close();
  return known;
}

/** The work of one name. Bodies are made beforehand, for about so many units, and again when they run out. */
export function fhirWork(name: FhirName, target: FhirTarget, clients: number, known: KnownPatient[]): Work {
  const connections = Array.from({ length: clients }, () => new HttpConnection(target.base, target.token));
  const operation = operations[name](target, known);
  let turn = 0;
  return {
    clients,
    operation: (client) => operation(connections[client]!, turn++),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

type Operation = (connection: HttpConnection, turn: number) => Promise<number>;

const preparedStories = 60;
const preparedPatients = 3_000;

const operations: Record<FhirName, (target: FhirTarget, known: KnownPatient[]) => Operation> = {
  ingest: ({ run }) => {
    const make = (serial: number) => patientStory(`${run}-ingest-${process.pid}-${begun}`, serial);
    const begun = performance.now();
    const prepared: PatientStory[] = Array.from({ length: preparedStories }, (_, i) => make(i));
    return async (connection, turn) => {
      const story = prepared[turn] ?? make(turn);
      expect(await connection.request('POST', '', story.text), 'The transaction', 200);
      return story.resources;
    };
  },
  create: ({ run }) => {
    const begun = performance.now();
    const make = (serial: number) => {
      const name = `${run}-create-${process.pid}-${begun}-${serial}`;
      return JSON.stringify(patientOf(drawsFrom(serial * 7919 + process.pid), name));
    };
    const prepared = Array.from({ length: preparedPatients }, (_, i) => make(i));
    return async (connection, turn) => {
      expect(await connection.request('POST', '/Patient', prepared[turn] ?? make(turn)), 'The create', 201);
      return 1;
    };
  },
  read: get((patient) => `/Patient/${patient.id}`),
  search_patient_code: get((patient) => `/Observation?patient=${patient.id}&code=${encodeURIComponent(searchedCode)}`),
  search_patient_name: get(
    ({ family, birthDate }) => `/Patient?name=${encodeURIComponent(family)}&birthdate=${birthDate}`,
  ),
  everything: get((patient) => `/Patient/${patient.id}/$everything`),
};

function get(path: (patient: KnownPatient) => string): (target: FhirTarget, known: KnownPatient[]) => Operation {
  return (_, known) => {
    const paths = known.map(path);
    return async (connection, turn) => {
      const { body } = expect(await connection.request('GET', paths[turn % paths.length]!), 'The answer', 200);
      if (body.length < 200 || body.includes('"total":0,'))
        throw new Error('The server does not find what was stored.');
      return 1;
    };
  };
}

function expect(answer: Answer, what: string, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${what} has the status ${answer.status}, not ${status}: ${answer.body.toString().slice(0, 300)}`);
}
