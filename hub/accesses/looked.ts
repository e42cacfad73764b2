/** Who looked at a person's record, as people are told: names instead of keys, and what may be told of each. */
import { doneWords, purposeWords } from '@causeway/access/entry-words';
import type { AuditLog } from '../audit/index.ts';
import type { Database } from '../database/index.ts';
import { deliveredTo } from './holds.ts';
import { type Place, placeText, type Reader, type Told, type Wanted, walk } from './walk.ts';

/** One access to the record of a person. */
export interface SeenAccess {
  /** Names it within the log. */
  id: string;
  at: string;
  action: string;
  type?: string;
  /** Who it was; undefined where that is not to be told. */
  who?: { username: string; name: string };
  role: string;
  organization: { key: string; name: string };
  purpose?: string;
  client?: { id: string; name: string };
  /** Whom it was sent to. */
  recipient?: { key: string; name: string };
  isEmergency: boolean;
  isRefused: boolean;
  relationship?: string;
  /** What was asked for, and the reason that was given. */
  what?: string;
  reason?: string;
  /** Its number in the log; undefined until it has one. */
  index?: number;
}

export interface SeenQuery extends Wanted {
  /** Words of which each has to stand somewhere in an access. */
  words: readonly string[];
  /** Without those of the persons themselves and who acts for them. */
  isWithoutOwn: boolean;
  isEmergencyOnly: boolean;
  after?: Place;
  limit: number;
}

export interface SeenParts {
  audit: AuditLog;
  database: Database;
  participants: { all(): readonly { key: string; name: string }[] };
}

const mostLooked = 5_000;
const own = ['patient', 'proxy'];

/** Accesses to the records of persons, the latest first. */
export async function seenAccesses(
  parts: SeenParts,
  reader: Reader,
  query: SeenQuery,
): Promise<{ accesses: SeenAccess[]; next?: string }> {
  const accesses: SeenAccess[] = [];
  const names = new Names(parts);
  for await (const { told, place } of walk(parts.audit, reader, query, query.after, mostLooked)) {
    if (told === undefined || accesses.length === query.limit) return { accesses, next: placeText(place) };
    const { event } = told.audited;
    if (query.isWithoutOwn && own.includes(event.role)) continue;
    if (query.isEmergencyOnly && event.emergency === undefined && !event.action.startsWith('emergency')) continue;
    const seen = await seenAccess(told, place, names);
    if (query.words.length === 0 || hasWords(seen, query.words)) accesses.push(seen);
  }
  return { accesses };
}

/** One of them. */
export async function seenAccess({ audited, isWhole }: Told, place: Place, names: Names): Promise<SeenAccess> {
  const { event, entry, index } = audited;
  const { client } = event;
  const who = isWhole ? entry.who : event.who;
  const recipient = isWhole ? deliveredTo(entry) : undefined;
  return {
    id: placeText(place),
    at: event.at,
    action: event.action,
    ...(event.type ? { type: event.type } : {}),
    ...(who === undefined ? {} : { who: { username: who, name: await names.account(who) } }),
    role: event.role,
    organization: { key: event.organization, name: names.organization(event.organization) },
    ...(event.purpose ? { purpose: event.purpose } : {}),
    ...(client === undefined ? {} : { client: { id: client, name: await names.client(client) } }),
    ...(recipient === undefined ? {} : { recipient: { key: recipient, name: names.organization(recipient) } }),
    isEmergency: event.emergency !== undefined || event.action === 'emergency-begin',
    isRefused: event.status >= 400,
    ...(event.relationship ? { relationship: event.relationship } : {}),
    ...(isWhole && entry.what !== undefined ? { what: entry.what } : {}),
    ...(isWhole && entry.reason !== undefined ? { reason: entry.reason } : {}),
    ...(index === undefined ? {} : { index }),
  };
}

/** What people call those whom the log names by keys. */
export class Names {
  readonly #parts: SeenParts;
  readonly #known = new Map<string, Promise<string>>();

  constructor(parts: SeenParts) {
    this.#parts = parts;
  }

  /** An organisation; of an account, a client or an outbox of the hub itself its key. */
  organization(key: string): string {
    return this.#parts.participants.all().find((one) => one.key === key)?.name ?? key;
  }

  account(username: string): Promise<string> {
    const site = /^site:(.+)$/.exec(username)?.[1];
    if (site !== undefined) return Promise.resolve(`The systems of ${this.organization(site)}`);
    const client = /^client:(.+)$/.exec(username)?.[1];
    if (client !== undefined) return this.client(client);
    if (username === 'outbox') return Promise.resolve('This hub');
    return this.#named('SELECT name FROM account WHERE username = $1', username);
  }

  client(id: string): Promise<string> {
    return this.#named('SELECT name FROM oauth_client WHERE id = $1', id);
  }

  #named(text: string, key: string): Promise<string> {
    const of = `${text} ${key}`;
    const known = this.#known.get(of);
    if (known) return known;
    const asked = this.#parts.database.query<{ name: string }>(text, [key]).then(({ rows }) => rows[0]?.name ?? key);
    this.#known.set(of, asked);
    return asked;
  }
}

function hasWords(seen: SeenAccess, words: readonly string[]): boolean {
  const { who, role, organization, client, recipient, action, type, purpose, what, reason } = seen;
  const texts = [
    who?.username,
    who?.name,
    role,
    organization.key,
    organization.name,
    client?.name,
    recipient?.name,
    action,
    type,
  ];
  const text = [...texts, doneWords({ action, type }), purpose, purposeWords[purpose ?? ''], what, reason]
    .join(' ')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}
