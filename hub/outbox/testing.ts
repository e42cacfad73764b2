/** An outbox for integration tests: record, person index, derivation and sender over a database. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls';
import type { CareRules } from '@causeway/access';
import {
  acknowledge,
  encodeFrame,
  isParseError,
  type Message,
  MllpDecoder,
  type Outcome,
  parseMessage,
} from '@causeway/hl7v2';
import pino from 'pino';
import { testAudit } from '../audit/testing.ts';
import { SigningKeys } from '../authorization/index.ts';
import { Relationships } from '../care/index.ts';
import type { Database } from '../database/index.ts';
import type { Distrust } from '../distrusting-agent.ts';
import { PersonIndex } from '../identity/index.ts';
import { FhirRecord, homePatient, indexKeyOf, newId } from '../record/index.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import {
  AccessLog,
  type Endpoint,
  type MllpEndpoint,
  NetworkPolicy,
  Participants,
  type Route,
  routesTo,
} from '../trust/index.ts';
import type { MailParts } from './clients.ts';
import type { Timing } from './destination.ts';
import { Deliveries, Derivation, Sender } from './index.ts';

export const sites = { hospital: 'harbor-hospital', practice: 'millbrook-practice', lab: 'ellery-lab' };
export type Site = keyof typeof sites;

/** How soon a test's sender tries again. */
const quick = { connectMs: 1_000, answerMs: 400, firstRetryMs: 20, longestRetryMs: 60 };

export interface TestOutbox {
  record: FhirRecord;
  persons: PersonIndex;
  relationships: Relationships;
  participants: Participants;
  deliveries: Deliveries;
  policy: NetworkPolicy;
  /** A sender; stop it before another one is started. @param over the database, where it is not the test's own */
  sender(attempts?: number, timing?: Partial<Timing>, over?: Database): Sender;
  /** Stores what a site says, in one transaction. */
  say(source: string, ...resources: Resource[]): Promise<void>;
  /** One human, told from others by the given name, as a site knows them: under a record number like `lab-Ada`. */
  patientAt(site: Site, id: string, more?: object, given?: string): Resource;
  /** Registers that human at sites, at all where none is named; the ids of the Patients. */
  register<S extends Site = Site>(given?: string, ...at: S[]): Promise<Record<S, string>>;
  /** Sets where a site listens. */
  endpoint(site: string, endpoint: Endpoint): Promise<void>;
  routes(site: string, routes: Route[]): Promise<void>;
  rows(): Promise<
    {
      destination: string;
      route: string;
      kind: string;
      state: string;
      attempts: number;
      last_error: string | null;
      id: string;
    }[]
  >;
  /** Resolves when a number of deliveries have a state. */
  until(state: string, count: number): Promise<void>;
  stop(): Promise<void>;
}

interface Resource {
  resourceType: string;
  id: string;
  meta?: object;
}

/** A hospital and a practice that care and a laboratory; none listens yet, all but the laboratory have an endpoint. */
export async function testOutbox(
  database: Database,
  log = pino({ level: 'silent' }),
  rules?: () => CareRules,
  mail: Partial<MailParts> = {},
  distrust?: Distrust,
): Promise<TestOutbox> {
  const master = fixedMasterKey(newDataKey());
  const record = new FhirRecord(database, master, await indexKeyOf(database, master));
  const persons = new PersonIndex(database, record);
  const participants = new Participants(database);
  let current: Sender | undefined;
  const relationships = new Relationships(record.keys, participants, rules);
  const derivation = new Derivation(
    record,
    persons,
    participants,
    (...derived) => current?.derived(...derived),
    relationships,
  );
  const kinds = { 'harbor-hospital': 'hospital', 'millbrook-practice': 'practice', 'ellery-lab': 'lab' };
  for (const [key, kind] of Object.entries(kinds)) {
    await participants.put({
      key,
      name: `The ${kind}`,
      kind,
      sendingFacility: key.slice(0, 3).toUpperCase(),
      sendingApplication: undefined,
      identifierSystem: `urn:oid:2.999.1.${key.length}`,
      identifierAuthority: `${kind.toUpperCase()}MRN`,
      settings: {},
      routes: routesTo(nowhere[kind]),
    });
  }
  const accessLog = new AccessLog(database, testAudit(database));
  const allowed = () =>
    participants
      .all()
      .flatMap(({ routes = [] }) => routes.flatMap(({ to }) => ('url' in to ? new URL(to.url).origin : [])));
  const signing = new SigningKeys(database, master);
  const keys = () => signing.load();
  const rows = async () => (await database.query('SELECT * FROM delivery ORDER BY seq')).rows as never;
  const policy = new NetworkPolicy(database);
  const outbox: TestOutbox = {
    record,
    persons,
    relationships,
    participants,
    policy,
    deliveries: new Deliveries(database, participants, () => current?.wake()),
    sender: (attempts = 50, timing = {}, over = database) => {
      current = new Sender(
        {
          database: over,
          record,
          participants,
          policy,
          accessLog,
          http: { allowed, keys, distrust },
          mail: { direct: undefined, pickup: undefined, ...mail },
          log,
          retell: (...missed) => derivation.retell(...missed),
        },
        { ...quick, attempts, ...timing },
      );
      return current;
    },
    say: async (source, ...resources) => {
      const meta = { tag: [{ system: 'urn:causeway:source', code: source }] };
      const scanned = resources.map((one) =>
        record.scan(JSON.stringify({ ...one, meta: { ...one.meta, ...meta } }), one.resourceType),
      );
      await record.writer.write({
        keys: resources.map(({ resourceType, id }) => ({ type: resourceType, id })),
        patients: scanned.flatMap((one, i) => homePatient(one, resources[i]!.id) ?? []),
        apply: (set) => {
          for (const [i, one] of scanned.entries()) set.put(one, one.resourceType, resources[i]!.id);
        },
      });
    },
    patientAt: (site, id, more = {}, given = 'Petronella') => ({
      resourceType: 'Patient',
      id,
      identifier: [{ system: participants.byKey(sites[site]).identifierSystem, value: `${site}-${given}` }],
      name: [{ family: 'Quillfeather', given: [given] }],
      birthDate: '1957-03-14',
      gender: 'female',
      telecom: [{ system: 'phone', value: '555-0199' }],
      address: [{ line: ['9 Heron Lane'], city: 'Sedgewick', postalCode: '04999' }],
      ...more,
    }),
    register: async (given, ...at) => {
      const ids: Record<string, string> = {};
      for (const site of at.length > 0 ? at : (Object.keys(sites) as Site[])) {
        const id = newId();
        ids[site] = id;
        await outbox.say(sites[site], outbox.patientAt(site, id, {}, given));
      }
      return ids as never;
    },
    endpoint: (site, endpoint) => participants.put({ ...participants.byKey(site), routes: routesTo(endpoint) }),
    routes: async (site, routes) => {
      await participants.put({ ...participants.byKey(site), routes });
      current?.wake();
    },
    rows,
    until: async (state, count) => {
      for (let tries = 0; ; tries++) {
        const { rows: found } = await database.query('SELECT count(*) AS count FROM delivery WHERE state = $1', [
          state,
        ]);
        if (Number(found[0]!.count) >= count) return;
        if (tries > 500) throw new Error(`${found[0]!.count} deliveries are ${state}, not ${count}.`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop: async () => {
      await current?.stop();
    },
  };
  return outbox;
}

/** Port 1 of this machine, where nothing listens. */
const nowhere: Record<string, Endpoint> = {
  hospital: { dialect: 'hl7v2', host: '127.0.0.1', port: 1 },
  practice: { dialect: 'fhir', url: 'http://127.0.0.1:1/fhir' },
};

/**
 * What a test's own MLLP receiver does with a message: an outcome, or no answer; in enhanced mode the outcome of the
 * commit, and what the application says after it, if anything.
 */
export type Behaviour = (message: Message) => Outcome | 'silence' | { commit: Outcome; application?: Outcome };

export interface TestReceiver {
  endpoint: MllpEndpoint;
  /** What came, in order, sent again or not. */
  messages: Message[];
  /** Acknowledgements of acknowledgements that came. */
  replies: Message[];
  /** Sends a message over the connection that was used last. */
  say(message: string | Uint8Array): void;
  /** Goes on with another certificate. */
  become(files: TlsOptions): void;
  close(): Promise<void>;
}

/** Listens as a destination over MLLP, with TLS where told so. */
export async function mllpReceiver(behaviour: Behaviour = () => 'accept', tls?: TlsOptions): Promise<TestReceiver> {
  const messages: Message[] = [];
  const replies: Message[] = [];
  const sockets = new Set<Socket>();
  let last: Socket | undefined;
  const serve = (socket: Socket) => {
    sockets.add(socket);
    const decoder = new MllpDecoder();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind !== 'frame') throw new Error(event.message);
        const message = parseMessage(event.content);
        if (isParseError(message)) throw new Error(message.message);
        last = socket;
        const isReply = message.get('MSA-1')?.startsWith('C');
        (isReply ? replies : messages).push(message);
        const said = isReply ? 'silence' : behaviour(message);
        if (said === 'silence') continue;
        const answer = (outcome: Outcome, stage: 'commit' | 'application') =>
          acknowledge(message, { outcome, stage, time: new Date(), controlId: `${stage[0]}${messages.length}` })!.bytes;
        const { commit, application } =
          typeof said === 'string' ? { commit: said } : { application: undefined, ...said };
        socket.write(encodeFrame(answer(commit, 'commit')));
        if (application) socket.write(encodeFrame(answer(application, 'application')));
      }
    });
  };
  const server: Server = tls ? createTlsServer(tls, serve) : createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    endpoint: { dialect: 'hl7v2', host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 },
    messages,
    replies,
    say: (message) => {
      last!.write(encodeFrame(typeof message === 'string' ? Buffer.from(message) : message));
    },
    become: (files) => (server as TlsServer).setSecureContext(files),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export { claim, nextDue } from './queue.ts';
