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
import type { PrivateText, PublicEvent, Subject } from './event.ts';
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
  return { patients, private: openedText(event, privateKeys(shares.map(({ secret }: Share) => secret)), sealed) };
}

function openedText(event: PublicEvent, { key, salt }: PrivateKeys, sealed: Buffer): { text: string; salt: string } {
  const text = unsealed(key, sealed);
  if (commitment(salt, text) !== event.private) throw new Error('Its leaf stands for another private text.');
  return { text, salt: shown(salt) };
}

/** What is private of an event, read. */
export function privateOf({ private: part }: Opened): PrivateText | undefined {
  return part && (JSON.parse(part.text) as PrivateText);
}

function shown(salt: ByteText): string {
  return Buffer.from(salt, 'latin1').toString('base64url');
}
