/** Opens events: what their leaves hide, as far as there are keys. */
import {
  type ByteText,
  commitment,
  type PrivateKeys,
  privateKeys,
  type Share,
  shareOf,
  unsealed,
} from './commitments.ts';
import type { Origin, PrivateText, PublicEvent, Subject } from './event.ts';
import type { Beside } from './rows.ts';

/** A Patient whom a leaf hides. */
export interface OpenedPatient {
  /** Its place among the event's patients. */
  index: number;
  id: string;
  /** Base64url; with the id it gives what the leaf has at that place. */
  salt: string;
}

/** What could be opened of an event. */
export interface Opened {
  patients: OpenedPatient[];
  private?: { text: string; salt: string };
  origin?: Origin;
}

/** A key and whose it is, by the number of the subject. */
export type Keyring = ReadonlyMap<number, { name: string; subject: Subject }>;

/** @throws Error where something opens that is not what the leaf says */
export function opened(event: PublicEvent, { nonce, subjects, sealed }: Beside, keys: Keyring): Opened {
  const count = event.patients?.length ?? 0;
  const shares = subjects.map((number) => {
    const key = keys.get(number);
    return key && { name: key.name, ...shareOf(key.subject, nonce) };
  });
  const patients = shares.slice(0, count).flatMap((share, index): OpenedPatient[] => {
    if (!share) return [];
    if (commitment(share.salt, share.name) !== event.patients![index])
      throw new Error('Its leaf names another patient.');
    return [{ index, id: share.name, salt: shown(share.salt) }];
  });
  if (!shares.every((share) => share !== undefined)) return { patients };
  return { patients, ...openedText(event, privateKeys(shares.map(({ secret }: Share) => secret)), sealed) };
}

function openedText(
  event: PublicEvent,
  { key, salt, originSalt }: PrivateKeys,
  sealed: Buffer,
): Omit<Opened, 'patients'> {
  // JSON has no line breaks.
  const [text = '', origin] = unsealed(key, sealed).split('\n');
  if (commitment(salt, text) !== event.private) throw new Error('Its leaf stands for another private text.');
  const { origin: committed } = JSON.parse(text) as PrivateText;
  if (committed !== (origin && commitment(originSalt, origin))) throw new Error('Its leaf stands for another origin.');
  return { private: { text, salt: shown(salt) }, ...(origin === undefined ? {} : { origin: JSON.parse(origin) }) };
}

/** What is sealed of an event, read. */
export function sealedPartOf({ private: part, origin }: Opened): (Omit<PrivateText, 'origin'> & Origin) | undefined {
  if (part === undefined) return undefined;
  const { origin: _committed, ...text } = JSON.parse(part.text) as PrivateText;
  return { ...text, ...origin };
}

function shown(salt: ByteText): string {
  return Buffer.from(salt, 'latin1').toString('base64url');
}
