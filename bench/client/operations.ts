/** The FHIR operations that are measured, against any FHIR R4 server. */
import type { Bundle } from '@medplum/fhirtypes';
import { patientStory, syntheaSize } from '../data/bundle.ts';
import { patientOf, sized } from '../data/patient.ts';
import { drawsFrom, seedOf } from '../data/random.ts';
import { readSynthea, toldOfAnother } from '../data/synthea.ts';
import { exported } from './export.ts';
import { HttpConnection } from './http-connection.ts';
import type { Known } from './known.ts';
import type { Done, Work } from './load.ts';
import { type SearchName, searches } from './searches.ts';
import { expect, type FhirTarget } from './server.ts';

const searchNames = Object.keys(searches) as SearchName[];

export const fhirNames = [
  'read',
  ...searchNames,
  'search_patient_name',
  'everything',
  'export',
  'update',
  'create',
  'ingest',
] as const;
export type FhirName = (typeof fhirNames)[number];

/** Bytes of the Patient that is created. */
const createdBytes = 4_000;
const preparedBundles = 120;
const preparedPatients = 2_000;
const updatedPerClient = 8;

export interface WorkOptions {
  name: FhirName;
  target: FhirTarget;
  clients: number;
  known: Known;
  /** The archive of Synthea bundles that `ingest` sends; where undefined it sends stories of that size. */
  synthea: string | undefined;
}

/** The work of one name, connections open. Bodies are made beforehand, and more of them when they run out. */
export async function fhirWork(options: WorkOptions): Promise<Work> {
  const connections = connectionsTo(options.target, options.clients);
  return workOf(connections, await operationOf(options, connections));
}

/** Reads of these paths in turn. */
export function pathsWork(target: FhirTarget, clients: number, paths: string[]): Work {
  return workOf(connectionsTo(target, clients), get(paths));
}

function connectionsTo({ base, token }: FhirTarget, clients: number): HttpConnection[] {
  return Array.from({ length: clients }, () => new HttpConnection(base, token));
}

function workOf(connections: HttpConnection[], operation: Operation): Work {
  let turn = 0;
  return {
    clients: connections.length,
    operation: (client) => operation(connections[client]!, turn++, client),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

type Operation = (connection: HttpConnection, turn: number, client: number) => Promise<Done>;

async function operationOf(options: WorkOptions, connections: HttpConnection[]): Promise<Operation> {
  const { name, target, known } = options;
  switch (name) {
    case 'ingest':
      return ingest(target.run, options.synthea);
    case 'create':
      return create(target.run);
    case 'update':
      return update(target.run, connections);
    case 'export':
      return async () => {
        const { resources, bytes } = await exported(target);
        return { units: resources, resources, bytes };
      };
    case 'read':
      return get(known.patients.map(({ id }) => `/Patient/${id}`));
    case 'everything':
      return get(known.patients.map(({ id }) => `/Patient/${id}/$everything`));
    case 'search_patient_name':
      return get(
        known.namesakes.map(
          ({ family, birthDate }) => `/Patient?name=${encodeURIComponent(family)}&birthdate=${birthDate}`,
        ),
      );
    default: {
      const path = searches[name];
      return get(known.patients.flatMap((patient) => path(patient) ?? []));
    }
  }
}

/** Transactions, a new person each. */
function ingest(run: string, synthea: string | undefined): Operation {
  const mark = `${run}${process.pid.toString(36)}${Math.floor(performance.now()).toString(36)}`;
  const people = synthea === undefined ? [] : readSynthea(synthea).people;
  const make = (turn: number): { text: string; resources: number } => {
    if (people.length === 0) return patientStory(`${mark}-ingest`, turn, syntheaSize);
    const bundle = people[turn % people.length]!;
    return { text: toldOfAnother(bundle, `${mark}${turn.toString(36)}`), resources: bundle.entry!.length };
  };
  const prepared = Array.from({ length: preparedBundles }, (_, turn) => make(turn));
  return async (connection, turn) => {
    const { text, resources } = prepared[turn] ?? make(turn);
    delete prepared[turn];
    const { body } = expect(await connection.request('POST', '', text), 'The transaction', 200);
    return { units: resources, resources, bytes: body.length };
  };
}

function create(run: string): Operation {
  const mark = `${run}-create-${process.pid}-${Math.floor(performance.now())}`;
  const make = (turn: number) => {
    const serial = `${mark}-${turn}`;
    return JSON.stringify(sized(patientOf(drawsFrom(seedOf(serial)), serial), createdBytes));
  };
  const prepared = Array.from({ length: preparedPatients }, (_, turn) => make(turn));
  return async (connection, turn) => {
    const { body } = expect(
      await connection.request('POST', '/Patient', prepared[turn] ?? make(turn)),
      'The create',
      201,
    );
    return { units: 1, resources: 1, bytes: body.length };
  };
}

/** Patients of each client's own, whose telephone number changes with each update. */
async function update(run: string, connections: HttpConnection[]): Promise<Operation> {
  const owned = await Promise.all(
    connections.map(async (connection, client) => {
      const made: { path: string; before: string; after: string }[] = [];
      for (let i = 0; i < updatedPerClient; i++) {
        const serial = `${run}-update-${process.pid}-${Math.floor(performance.now())}-${client}-${i}`;
        const patient = sized(patientOf(drawsFrom(seedOf(serial)), serial), createdBytes);
        const { body } = expect(
          await connection.request('POST', '/Patient', JSON.stringify(patient)),
          'The create',
          201,
        );
        const { id } = JSON.parse(body.toString('utf8')) as { id?: string };
        if (id === undefined) throw new Error('The answer to a create holds no id.');
        const telecom = [{ system: 'phone', value: '555-0-TURN', use: 'home' }, ...patient.telecom!.slice(1)];
        const [before, after] = JSON.stringify({ ...patient, id, telecom }).split('TURN') as [string, string];
        made.push({ path: `/Patient/${id}`, before, after });
      }
      return made;
    }),
  );
  return async (connection, turn, client) => {
    const { path, before, after } = owned[client]![turn % updatedPerClient]!;
    const { body } = expect(await connection.request('PUT', path, `${before}${turn}${after}`), 'The update', 200);
    return { units: 1, resources: 1, bytes: body.length };
  };
}

/** Reads these paths in turn; each has to find something. */
function get(paths: string[]): Operation {
  if (paths.length === 0) throw new Error('No patient that was looked at has what this search asks for.');
  const resources = new Map<string, number>();
  return async (connection, turn) => {
    const path = paths[turn % paths.length]!;
    const { body } = expect(await connection.request('GET', path), 'The answer', 200);
    let found = resources.get(path);
    if (found === undefined) {
      found = resourcesIn(body);
      if (found === 0) throw new Error(`The server does not find what was stored: ${path.replace(/=[^&]*/g, '=…')}`);
      resources.set(path, found);
    }
    return { units: 1, resources: found, bytes: body.length };
  };
}

function resourcesIn(body: Buffer): number {
  const resource = JSON.parse(body.toString('utf8')) as Bundle | { resourceType: 'Patient' };
  if (resource.resourceType !== 'Bundle') return 1;
  return resource.entry?.filter(({ search }) => search?.mode !== 'outcome').length ?? 0;
}
