/**
 * Documents that an organisation without any interface picks up: it is written a mail that says nothing but where, and opens
 * the page with the PIN that it agreed on. Nothing is kept for that: the document is read from the record when it is looked
 * at, as the access decision has it then, and each look is recorded.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { typeName } from '@causeway/fhir';
import type { Resource } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { MailError, type Mailer } from '../mail/index.ts';
import type { FhirRecord } from '../record/index.ts';
import type { AccessLog, NetworkPolicy, Participants, PickupPlace, Route } from '../trust/index.ts';
import type { Outgoing } from './answer.ts';
import { type Content, readContent } from './content.ts';
import { controlIdOf } from './control-id.ts';
import type { DocumentParts } from './documents.ts';
import { type Claimed, concludeAccepted } from './queue.ts';
import { Versions } from './versions.ts';

export interface PickupParts {
  database: Database;
  record: FhirRecord;
  participants: Participants;
  policy: NetworkPolicy;
  accessLog: AccessLog;
  mailer: Mailer;
  documents?: DocumentParts;
  /** The key of links and tickets. */
  tokenKey: Buffer;
  /** Where the hub's pages are. */
  pages(): string;
}

/** A document that was opened, and what downloads it for some minutes without the PIN. */
export interface PickedUp {
  bytes: Uint8Array;
  mediaType: string;
  origin: string;
  ticket: string;
}

/** Why nothing is shown: there is no such link (any more), the PIN is wrong, or was so too often; or what was sent holds no more. */
export type NotPickedUp = 'unknown' | 'wrong' | 'locked' | 'gone';

const days = 7;
const mostFailures = 5;
const ticketMs = 600_000;
const shortestPin = 8;

export class Pickup {
  readonly #parts: PickupParts;
  readonly #versions: Versions;

  constructor(parts: PickupParts) {
    this.#parts = parts;
    this.#versions = new Versions(parts.database, parts.record.keys);
  }

  /** Writes where a delivery waits; when it is written again, it waits anew. @throws MailError */
  async announce(deliveryId: string, { address, pinFile }: PickupPlace): Promise<void> {
    const { database, mailer, pages } = this.#parts;
    await readPin(pinFile);
    const { rows } = await database.query({
      name: 'pickup_announce',
      text: `INSERT INTO pickup (delivery, expires) VALUES ($1, now() + interval '${days} days')
             ON CONFLICT (delivery) DO UPDATE SET expires = excluded.expires, failures = 0 RETURNING expires`,
      values: [deliveryId],
    });
    await database.query(`DELETE FROM pickup WHERE expires < now() - interval '${days} days'`);
    const until = (rows[0]!.expires as Date).toISOString().slice(0, 10);
    await mailer.send({
      to: address,
      subject: 'A document waits for you',
      text: `A document waits for your organisation until ${until}:\n\n${pages()}/pickup/${this.#link(deliveryId)}\n\nIt opens with the PIN that your organisation agreed on.\nFor the protection of those concerned, mail says no more.\n`,
      messageId: `<${deliveryId}@${mailer.from.split('@')[1]}>`,
    });
  }

  /** Whether a link is one that the hub wrote, and waits still. */
  async waits(link: string): Promise<boolean> {
    const id = this.#delivery(link);
    if (id === undefined) return false;
    const { rows } = await this.#parts.database.query({
      name: 'pickup_waits',
      text: 'SELECT 1 FROM pickup WHERE delivery = $1 AND expires > now()',
      values: [id],
    });
    return rows.length > 0;
  }

  /** Opens a document by its PIN. */
  async open(link: string, pin: string): Promise<PickedUp | NotPickedUp> {
    const id = this.#delivery(link);
    if (id === undefined || !(await this.waits(link))) return 'unknown';
    const { database } = this.#parts;
    // Counted before it is looked at, so that many tries at once are no more than one after the other.
    const { rowCount } = await database.query({
      name: 'pickup_try',
      text: 'UPDATE pickup SET failures = failures + 1 WHERE delivery = $1 AND failures < $2',
      values: [id, mostFailures],
    });
    if (!rowCount) return 'locked';
    const found = await this.#find(id);
    if (!found) return 'gone';
    const known = await readPin(found.place.pinFile).catch(() => undefined);
    if (known === undefined || !areSame(known, pin.trim())) {
      await this.#record(found, 'pick-up', 403);
      return 'wrong';
    }
    await database.query({
      name: 'pickup_open',
      text: 'UPDATE pickup SET failures = 0, opened = coalesce(opened, now()) WHERE delivery = $1',
      values: [id],
    });
    return this.#show(found, 'pick-up');
  }

  /** Opens a document once more, by the ticket that came with it. */
  async download(link: string, ticket: string): Promise<PickedUp | NotPickedUp> {
    const id = this.#delivery(link);
    const [until = ''] = ticket.split('.');
    if (id === undefined || !(await this.waits(link))) return 'unknown';
    if (!(Number(until) > Date.now()) || !areSame(this.#ticket(id, Number(until)), ticket)) return 'wrong';
    const found = await this.#find(id);
    return found ? this.#show(found, 'pick-up-download') : 'gone';
  }

  async #show(found: Found, action: string): Promise<PickedUp | NotPickedUp> {
    const { database, participants, policy } = this.#parts;
    const { delivery, route } = found;
    const destination = participants.byKey(delivery.destination);
    const reading = { database, versions: this.#versions, documents: this.#parts.documents };
    const content = delivery.together
      ? await readContent(reading, delivery, destination, route, policy)
      : ({ state: 'cancelled' } as const);
    const made = 'state' in content ? undefined : await this.#written(found, content);
    await this.#record(found, action, made ? 200 : 410);
    if (!made) return 'gone';
    const controlId = controlIdOf(delivery.id);
    await concludeAccepted(database, delivery.destination, controlId, { kind: 'delivered' });
    const ticket = this.#ticket(delivery.id, Date.now() + ticketMs);
    const { name } = participants.byKey(delivery.source);
    return { bytes: made.bytes, mediaType: made.mediaType, origin: name, ticket };
  }

  /** What was sent, unless it does not hold any more or is kept from the destination by now. */
  async #written({ delivery, route }: Found, content: Content): Promise<Outgoing | undefined> {
    const { record, participants, policy } = this.#parts;
    const destination = participants.byKey(delivery.destination);
    const access = policy.participantAccess(destination, 'receive', route.purpose);
    const current = await record.reader.read(access, content.focus.resourceType, delivery.focus_rid);
    if (!current || current.deleted) return undefined;
    const { compose, isEmptied } = await import('./compose.ts');
    if (isEmptied({ ...content, focus: JSON.parse(current.text) as Resource, beside: [] })) return undefined;
    const made = compose(delivery, content, destination, route, participants.byKey(delivery.source));
    return typeof made === 'object' && 'bytes' in made ? made : undefined;
  }

  async #find(id: string): Promise<Found | undefined> {
    const { rows } = await this.#parts.database.query<Claimed>({
      name: 'pickup_delivery',
      text: `SELECT d.seq, d.id, d.created, d.kind, d.topic, d.destination, d.route, d.round, d.home, d.source, d.focus_type,
               d.focus_rid, d.recipient, d.recipient_home, d.attempts,
               (SELECT person FROM link WHERE home = d.home) IS NOT DISTINCT FROM
               (SELECT person FROM link WHERE home = d.recipient_home) AS together
             FROM delivery d WHERE d.id = $1`,
      values: [id],
    });
    const [delivery] = rows;
    if (!delivery) return undefined;
    const { routes = [] } = this.#parts.participants.byKey(delivery.destination);
    const route = routes.find(({ name }) => name === delivery.route);
    return route && 'pickup' in route.to ? { delivery, route, place: route.to.pickup } : undefined;
  }

  async #record({ delivery, route }: Found, action: string, status: number): Promise<void> {
    const { participants, policy, accessLog } = this.#parts;
    const access = policy.participantAccess(participants.byKey(delivery.destination), 'receive', route.purpose);
    const what = `${typeName(delivery.focus_type)}/${delivery.focus_rid}`;
    const patients = status === 200 ? { patients: [delivery.recipient] } : {};
    await accessLog.record(access, { action, what, status, ...patients });
  }

  #link(id: string): string {
    return `${id}.${this.#mac(`pickup ${id}`)}`;
  }

  /** The delivery that a link leads to; undefined where the hub did not write it. */
  #delivery(link: string): string | undefined {
    const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\.)/.exec(link)?.[0];
    return id !== undefined && areSame(this.#link(id), link) ? id : undefined;
  }

  #ticket(id: string, until: number): string {
    return `${until}.${this.#mac(`pickup ticket ${id} ${until}`)}`;
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#parts.tokenKey).update(text).digest('base64url');
  }
}

interface Found {
  delivery: Claimed;
  route: Route;
  place: PickupPlace;
}

async function readPin(path: string): Promise<string> {
  const pin = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MailError(`The file of the PIN cannot be read (${error.code}).`, false);
  });
  if (pin.trim().length < shortestPin) throw new MailError(`The PIN has fewer than ${shortestPin} characters.`, false);
  return pin.trim();
}

function areSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}
