/** The organisations on the network: how their messages are recognised, and what they are called. */
import type { ConceptTable, Overlay } from '@causeway/mapping';
import type { ColumnMap } from '@causeway/mapping/columns';
import type { Database } from '../database/index.ts';
import type { Route } from './routes.ts';

/** How an organisation is connected to the hub. */
export interface Transport {
  /**
   * SHA-256 fingerprints of the client certificates that stand for it (hexadecimal, with or without colons). Where there
   * are some, messages over MLLP and HTTPS are taken as its own with one of them only.
   */
  certificates?: string[];
  /** False: what it writes to MSH-13 is no sequence number. */
  sequenceNumbers?: boolean;
  /** Whose Direct mail is its own, beside that of the addresses to which it is sent Direct mail. */
  direct?: DirectSenders;
}

export interface DirectSenders {
  /** Addresses, and domains for all addresses in them. */
  senders: string[];
  /** Absolute path of a PEM file of the certificates by which they sign, or of the authorities that issue these. */
  trust: string;
}

/** What an organisation may be allowed to ask for by queries of HL7 v2. */
export const queryTopics = ['demographics', 'identifiers', 'immunizations'] as const;
export type QueryTopic = (typeof queryTopics)[number];

export interface Participant {
  key: string;
  name: string;
  kind: string;
  sendingFacility: string | undefined;
  sendingApplication: string | undefined;
  /** The FHIR system of its record numbers. */
  identifierSystem: string | undefined;
  /** How its HL7 v2 messages name the authority of its record numbers (PID-3.4). */
  identifierAuthority: string | undefined;
  /** What a conversion has to know of its dialect. */
  settings: {
    oid?: string;
    timeZone?: string;
    identifierSystems?: Record<string, string>;
    codeSystems?: Record<string, string>;
    concepts?: ConceptTable;
    overlay?: Overlay;
    /** Identifiers by which others name the organisation and its practitioners, where they say who cares for a person. */
    providers?: { system: string; value: string }[];
    /** The mailbox that is told that loops of it are late. */
    lateMail?: string;
    /** How the columns of its tables (files, queries) are read, by the tables' names. */
    tables?: { [name: string]: ColumnMap };
  };
  /** Where it is told, and of what; nowhere without one. Left out in a change: as it was. */
  routes?: readonly Route[] | undefined;
  /** Left out in a change: as it was. */
  transport?: Transport | undefined;
  /** What it may ask for by queries of HL7 v2; nothing where it is not told. Left out in a change: as it was. */
  queries?: QueryTopic[] | undefined;
  /** The state whose rules hold for it, as two letters. */
  state?: string | undefined;
  /** It is a programme under 42 CFR Part 2: all its records are labelled so. Left out in a change: as it was. */
  isPart2?: boolean | undefined;
}

/** The kind of a participant that is another hub. */
export const hubKind = 'hub';

const pollMs = 2_000;

export class Participants {
  readonly #database: Database;
  #all = new Map<string, Participant>();
  /** How often this hub changed a participant. */
  #changes = 0;
  #isKnown = true;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  async load(): Promise<void> {
    const changes = this.#changes;
    const { rows } = await this.#database.query('SELECT * FROM participant');
    // What was read before a change of ours would undo it in memory.
    if (changes !== this.#changes) return;
    this.#all = new Map(
      rows.map((row) => [
        row.key,
        {
          key: row.key,
          name: row.name,
          kind: row.kind,
          sendingFacility: row.sending_facility ?? undefined,
          sendingApplication: row.sending_application ?? undefined,
          identifierSystem: row.identifier_system ?? undefined,
          identifierAuthority: row.identifier_authority ?? undefined,
          settings: row.settings,
          routes: row.routes,
          transport: row.transport,
          queries: row.queries,
          state: row.state ?? undefined,
          isPart2: row.part2,
        },
      ]),
    );
  }

  /** Whether what is known of them is what was stored when it was asked for the last time. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Learns what other hubs over the same database change. @param fault is told where the database does not answer */
  watch(fault: (error: unknown) => void): void {
    const look = () =>
      this.load().then(
        () => {
          this.#isKnown = true;
        },
        (error) => {
          this.#isKnown = false;
          fault(error);
        },
      );
    this.#timer = setInterval(() => {
      this.#turn = look();
    }, pollMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  /** Adds an organisation or changes what is known of it. */
  async put(participant: Participant): Promise<void> {
    const { key, name, kind, settings } = participant;
    await this.#database.query(
      `INSERT INTO participant (key, name, kind, sending_facility, sending_application, identifier_system,
                                identifier_authority, settings, routes, transport, queries, state, part2)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, '[]'::jsonb), coalesce($10, '{}'::jsonb),
               coalesce($11::text[], '{}'), $12, coalesce($13, false))
       ON CONFLICT (key) DO UPDATE SET name = excluded.name, kind = excluded.kind,
         sending_facility = excluded.sending_facility, sending_application = excluded.sending_application,
         identifier_system = excluded.identifier_system, identifier_authority = excluded.identifier_authority,
         settings = excluded.settings, routes = coalesce($9, participant.routes),
         transport = coalesce($10, participant.transport), queries = coalesce($11, participant.queries),
         state = excluded.state, part2 = coalesce($13, participant.part2)`,
      [
        key,
        name,
        kind,
        participant.sendingFacility ?? null,
        participant.sendingApplication ?? null,
        participant.identifierSystem ?? null,
        participant.identifierAuthority ?? null,
        JSON.stringify(settings),
        participant.routes ? JSON.stringify(participant.routes) : null,
        participant.transport ? JSON.stringify(participant.transport) : null,
        participant.queries ?? null,
        participant.state ?? null,
        participant.isPart2 ?? null,
      ],
    );
    this.#changes++;
    const before = this.#all.get(key);
    const routes = participant.routes ?? before?.routes ?? [];
    const transport = participant.transport ?? before?.transport ?? {};
    const queries = participant.queries ?? before?.queries ?? [];
    const isPart2 = participant.isPart2 ?? before?.isPart2 ?? false;
    this.#all.set(key, { ...participant, routes, transport, queries, isPart2 });
  }

  all(): Participant[] {
    return [...this.#all.values()];
  }

  /** The organisation of this key; for one that nobody registered, the key stands for its name. */
  byKey(key: string): Participant {
    return (
      this.#all.get(key) ?? {
        key,
        name: key,
        kind: 'unknown',
        sendingFacility: undefined,
        sendingApplication: undefined,
        identifierSystem: undefined,
        identifierAuthority: undefined,
        settings: {},
      }
    );
  }

  /** The key of who sends HL7 v2 as this facility (MSH-4) and application (MSH-3). */
  bySender(facility: string, application: string): string {
    for (const participant of this.#all.values()) {
      if (participant.sendingFacility === undefined && participant.sendingApplication === undefined) continue;
      if (participant.sendingFacility !== undefined && participant.sendingFacility !== facility) continue;
      if (participant.sendingApplication !== undefined && participant.sendingApplication !== application) continue;
      return participant.key;
    }
    return keyOf(facility || application);
  }

  /** The key of the organisation that a client certificate stands for. @param fingerprint SHA-256, hexadecimal */
  byCertificate(fingerprint: string): string | undefined {
    const wanted = bare(fingerprint);
    return this.all().find(({ transport }) => transport?.certificates?.some((one) => bare(one) === wanted))?.key;
  }

  /** The key of the organisation of this OID. */
  byOid(oid: string | undefined): string | undefined {
    return oid === undefined ? undefined : this.all().find(({ settings }) => settings.oid === oid)?.key;
  }
}

function bare(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

/** A key made from a name nobody registered. */
export function keyOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return slug || 'unknown';
}
