/**
 * Checks receipts of the audit log where they are read, by nothing but the receipt and the keys that its reader trusts
 * (RFC 6962; C2SP tlog-proof, signed-note, tlog-cosignature; docs/disclosures.md).
 */

import type { LogEntry } from '@causeway/access/entry-words';
import {
  answered,
  base64,
  bytesOf,
  checkpointCheck,
  consistencyCheck,
  cosignersIn,
  type Head,
  isEnough,
  isEqual,
  leafCheck,
  NoteError,
  type Policy,
  proofCheck,
  readHead,
  readPolicy,
  readProofLines,
  readSubmission,
  readVerifier,
  type SignedHead,
  sha256,
  type Trusted,
  type TrustedKey,
} from '@causeway/tlog/web';

/** The first member of a receipt. */
export const receiptFormat = 'causeway.health/audit-receipt/v1';

/** A receipt as it is written; nothing of it is known to be true. */
export interface Receipt {
  format: typeof receiptFormat;
  /** The public text of the entry. */
  leaf: string;
  index: number;
  /** A tlog-proof. */
  proof: string;
  opened?: {
    patient?: { index: number; id: string; salt: string };
    private?: { text: string; salt: string };
  };
}

/** One thing that was checked; `open` where the receipt leaves it out. */
export interface Finding {
  state: 'holds' | 'fails' | 'open';
  text: string;
}

export interface Checked {
  /** What the entry says; undefined where it cannot be read. */
  entry?: LogEntry;
  /** The text that its commitment opens to. */
  private?: string;
  patient?: string;
  findings: Finding[];
  /** The tree that it was found in. */
  head?: SignedHead;
}

export type Keys = readonly TrustedKey<CryptoKey>[];

/** Whom a reader trusts: keys, and which of the witnesses among them are enough. */
export interface Trust {
  keys: Keys;
  policy: Policy;
}

/**
 * Reads keys, one a line, or a policy (C2SP tlog-policy).
 * @param needed so many of the witnesses have to have cosigned; a policy says that itself
 * @throws NoteError with what cannot be read
 */
export async function readTrust(text: string, needed = 0): Promise<Trust> {
  const lines = text.split('\n').map((line) => line.trim());
  if (lines.some((line) => /^(log|witness|group|quorum)\s/.test(line))) {
    const policy = readPolicy(text.replaceAll('\r', ''));
    const keys = await Promise.all([...policy.logs, ...policy.witnesses].map(({ verifier }) => readVerifier(verifier)));
    return { keys, policy };
  }
  const verifiers = [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))];
  const keys = await Promise.all(verifiers.map(readVerifier));
  const witnesses = verifiers
    .filter((_, i) => keys[i]!.kind === 'cosignature')
    .map((verifier) => ({ name: verifier, verifier }));
  const group = { name: 'needed', least: needed, members: witnesses.map(({ name }) => name) };
  return { keys, policy: { logs: [], witnesses, groups: [group], quorum: needed > 0 ? group.name : 'none' } };
}

/** @throws NoteError where the text is no receipt */
export function readReceipt(text: string): Receipt {
  let read: Partial<Receipt> | null;
  try {
    read = JSON.parse(text);
  } catch {
    throw new NoteError('The file is not a receipt: it cannot be read as JSON.');
  }
  if (read?.format !== receiptFormat) {
    throw new NoteError(`The file is not a receipt: it does not say that its format is ${receiptFormat}.`);
  }
  const { leaf, index, proof } = read;
  if (typeof leaf !== 'string' || typeof proof !== 'string' || typeof index !== 'number') {
    throw new NoteError('The receipt lacks its entry, its place or its proof.');
  }
  return read as Receipt;
}

/** Whether a receipt holds, point by point. */
export async function checkReceipt(receipt: Receipt, { keys, policy }: Trust): Promise<Checked> {
  const findings: Finding[] = [];
  const checked: Checked = { findings };
  const entry = entryOf(receipt.leaf);
  if (!entry) {
    findings.push({ state: 'fails', text: 'The entry is not written as entries of the log are.' });
    return checked;
  }
  checked.entry = entry;
  const head = await tried(findings, () => inLog(receipt, keys));
  if (head) {
    checked.head = head;
    findings.push(
      {
        state: 'holds',
        text: `The entry is number ${receipt.index} of the log ${head.origin}, in the tree of its first ${head.size} entries.`,
      },
      { state: 'holds', text: 'The log signed this tree with a key that is trusted here.' },
      ...witnessed(head, policy),
    );
  }
  await opened(receipt, entry, checked);
  return checked;
}

/** Whether everything that was checked holds. */
export function holds({ findings, head }: Checked): boolean {
  return head !== undefined && findings.every(({ state }) => state !== 'fails');
}

/**
 * Whether of two trees of a log one is the beginning of the other.
 * @param growth what the hub says of the way from the smaller to the larger; needed where they differ in size
 */
export async function checkGrowth(one: Head, other: Head, growth: Growth | undefined): Promise<Finding> {
  if (one.origin !== other.origin) {
    return { state: 'open', text: `They are of different logs, ${one.origin} and ${other.origin}.` };
  }
  const [from, to] = one.size <= other.size ? [one, other] : [other, one];
  if (from.size === to.size) {
    return isEqual(from.root, to.root)
      ? { state: 'holds', text: `Both show the same tree of ${from.size} entries.` }
      : {
          state: 'fails',
          text: `The log signed two different trees of ${from.size} entries: it was rewritten, or shows different people different entries. Keep both files.`,
        };
  }
  if (!growth || growth.from !== from.size || growth.head.size !== to.size) {
    return {
      state: 'open',
      text: `To know whether the tree of ${from.size} entries grew into the one of ${to.size}, the proof of growth from ${from.size} to ${to.size} is needed.`,
    };
  }
  const isGrown = isEqual(growth.head.root, to.root) && (await answered(consistencyCheck(from, to, growth.path)));
  return isGrown
    ? {
        state: 'holds',
        text: `The tree of ${to.size} entries begins with the ${from.size} of the other one: nothing in them was changed since.`,
      }
    : {
        state: 'fails',
        text: `The proof does not show that the tree of ${from.size} entries grew into the one of ${to.size}.`,
      };
}

/** How a tree grew: the size it had, and the hashes that lead to the head of the larger one. */
export interface Growth {
  from: number;
  path: Uint8Array[];
  /** What the larger one is said to be. */
  head: Head;
  /** The checkpoint that says so. */
  checkpoint: string;
}

/** The head to which a log grew, where one of the keys signed it. @throws NoteError */
export function grownHead({ checkpoint, head: { origin } }: Growth, { keys }: Trust): Promise<SignedHead> {
  return answered(checkpointCheck(checkpoint, trustedFor(origin, keys)));
}

/** Reads a proof of growth, in the form in which witnesses are asked (C2SP tlog-witness). @throws NoteError */
export function readGrowth(text: string): Growth {
  try {
    const submission = readSubmission(text);
    return { ...submission, head: readHead(noteText(submission.checkpoint)) };
  } catch {
    throw new NoteError('The file is no proof of growth.');
  }
}

function noteText(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

/** That the log of one of the keys has the entry where the receipt says. @throws NoteError */
async function inLog({ leaf, index, proof }: Receipt, keys: Keys): Promise<SignedHead> {
  const { checkpoint } = readProofLines(proof);
  const { origin } = readHead(noteText(checkpoint));
  const trusted = trustedFor(origin, keys);
  const hash = await answered(leafCheck(bytesOf(leaf)));
  const found = await answered(proofCheck(proof, hash, trusted));
  if (found.index !== index) throw new NoteError('The receipt and its proof name different places in the log.');
  return found.head;
}

/** The keys by which a log is believed. @throws NoteError where none of them is its */
function trustedFor(origin: string, keys: Keys): Trusted<CryptoKey> {
  const log = keys.filter(({ kind }) => kind === 'signature');
  if (log.length === 0) throw new NoteError('The key of the log is needed to know whether the log signed this.');
  if (!log.some(({ name }) => origin === name || origin.startsWith(`${name}/`))) {
    throw new NoteError(`The proof is of the log ${origin}; the key that you gave is of another.`);
  }
  return { origin, log, witnesses: keys.filter(({ kind }) => kind === 'cosignature') };
}

/** Who saw the tree besides the log, and whether that is as many as are asked for. */
function witnessed({ signatures }: SignedHead, policy: Policy): Finding[] {
  const found = signatures.filter(({ kind }) => kind === 'cosignature');
  const findings: Finding[] = found.map(({ name, time = 0 }) => ({
    state: 'holds',
    text: `The witness ${name} saw this tree on ${new Date(time * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC.`,
  }));
  if (found.length === 0) {
    const text =
      policy.witnesses.length === 0
        ? 'You gave no key of a witness: whether anybody else saw this tree is not known.'
        : 'No witness whose key you gave has signed it as well.';
    findings.push({ state: 'open', text });
  }
  if (isEnough(policy, new Set())) return findings;
  findings.push(
    isEnough(policy, cosignersIn(policy, signatures))
      ? { state: 'holds', text: 'As many witnesses have seen it as you ask for.' }
      : { state: 'fails', text: 'Fewer witnesses have seen it than you ask for.' },
  );
  return findings;
}

/** What is opened of the entry: whose record it is about, and what else it says. */
async function opened(receipt: Receipt, entry: LogEntry, checked: Checked): Promise<void> {
  const { findings } = checked;
  const { patient, private: sealed } = receipt.opened ?? {};
  const patients = Array.isArray(entry.patients) ? entry.patients : [];
  if (patient) {
    const commitment = patients[patient.index];
    if (typeof commitment === 'string' && (await fits(commitment, patient))) {
      checked.patient = patient.id;
      findings.push({ state: 'holds', text: `It is about the record Patient/${patient.id}.` });
    } else {
      findings.push({ state: 'fails', text: `Nothing in the entry says that it is about Patient/${patient.id}.` });
    }
    const others = patients.length - 1;
    if (others > 0) {
      const said = others === 1 ? 'one other person' : `${others} other people`;
      findings.push({ state: 'open', text: `It is about ${said} too, who stay unknown here.` });
    }
  } else if (patients.length > 0) {
    findings.push({ state: 'open', text: 'The receipt does not open whose record it is about.' });
  }
  if (sealed) {
    if (typeof entry.private === 'string' && (await fits(entry.private, { id: sealed.text, salt: sealed.salt }))) {
      checked.private = sealed.text;
      findings.push({ state: 'holds', text: 'The details that are shown are those that the entry was made with.' });
    } else {
      findings.push({ state: 'fails', text: 'The details that are shown are not those that the entry was made with.' });
    }
  } else if (entry.private !== undefined) {
    findings.push({ state: 'open', text: 'Further details are sealed; this receipt does not open them.' });
  }
}

/** Whether a commitment is the hash of a salt and a text. */
async function fits(commitment: string, { id, salt }: { id: string; salt: string }): Promise<boolean> {
  const [wanted, salted] = [fromUrl(commitment), fromUrl(salt)];
  if (!wanted || !salted || typeof id !== 'string' || salted.length < 16) return false;
  return isEqual(await answered(sha256(salted, bytesOf(id))), wanted);
}

/** The bytes of base64url without padding. */
function fromUrl(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined;
  const plain = text.replaceAll('-', '+').replaceAll('_', '/');
  return base64(plain.padEnd(Math.ceil(plain.length / 4) * 4, '='));
}

/** The entry of a line that can be read in one way only. */
function entryOf(leaf: string): LogEntry | undefined {
  try {
    const read = JSON.parse(leaf);
    return typeof read === 'object' && read !== null && JSON.stringify(read) === leaf ? read : undefined;
  } catch {
    return undefined;
  }
}

async function tried<T>(findings: Finding[], check: () => Promise<T>): Promise<T | undefined> {
  try {
    return await check();
  } catch (error) {
    findings.push({ state: 'fails', text: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}
