/** Policies (C2SP tlog-policy): which logs and witnesses are trusted, and which witnesses are enough. */
import { base64 } from './checks.ts';
import { NoteError, type Verified } from './note-text.ts';

export interface Policy {
  logs: PolicyKey[];
  witnesses: PolicyWitness[];
  groups: PolicyGroup[];
  /** The name of a witness or group, or `none`. */
  quorum: string;
}

export interface PolicyKey {
  /** As verifier keys are written; whether it is one is seen where it is read. */
  verifier: string;
  /** Where it is reached. */
  url?: string;
}

export interface PolicyWitness extends PolicyKey {
  /** Within the policy. */
  name: string;
}

export interface PolicyGroup {
  name: string;
  /** So many of the members have to have cosigned. */
  least: number;
  members: string[];
}

const none = 'none';
/** Lines and members beyond this are not read. */
const mostLines = 1_000;

/** @throws NoteError with the line that is wrong */
export function readPolicy(text: string): Policy {
  const policy: Policy = { logs: [], witnesses: [], groups: [], quorum: '' };
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text))
    throw new NoteError('A policy holds no control characters but tabs and newlines.');
  const lines = text.split('\n');
  if (lines.length > mostLines) throw new NoteError(`Of a policy at most ${mostLines} lines are read.`);
  for (const [i, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]!.startsWith('#')) continue;
    const wrong = take(policy, words);
    if (wrong !== undefined) throw new NoteError(`Line ${i + 1} of the policy: ${wrong}`);
  }
  if (policy.quorum === '')
    throw new NoteError('A policy says by a line quorum <name> which witnesses are enough, or quorum none.');
  return policy;
}

/** Takes up a line; returns what is wrong with it. */
function take(policy: Policy, [keyword, ...words]: string[]): string | undefined {
  switch (keyword) {
    case 'log':
      return takeLog(policy, words);
    case 'witness':
      return takeWitness(policy, words);
    case 'group':
      return takeGroup(policy, words);
    case 'quorum': {
      const [name, ...more] = words;
      if (name === undefined || more.length > 0) return 'it is quorum <name>.';
      if (policy.quorum !== '') return 'a policy has one quorum.';
      if (name !== none && !isKnown(policy, name)) return `nothing before it is called ${name}.`;
      policy.quorum = name;
      return undefined;
    }
    default:
      return `it begins with log, witness, group or quorum, not with ${keyword}.`;
  }
}

function takeLog({ logs }: Policy, [verifier, url, ...more]: string[]): string | undefined {
  if (verifier === undefined || more.length > 0) return 'it is log <verifier key> [<address>].';
  if (isThere(logs, verifier)) return 'the key stands there twice.';
  logs.push({ verifier, ...(url === undefined ? {} : { url }) });
  return undefined;
}

function takeWitness(policy: Policy, [name, verifier, url, ...more]: string[]): string | undefined {
  if (name === undefined || verifier === undefined || more.length > 0) {
    return 'it is witness <name> <verifier key> [<address>].';
  }
  if (name === none || isKnown(policy, name)) return `the name ${name} is taken.`;
  if (isThere(policy.witnesses, verifier)) return 'the key stands there twice.';
  policy.witnesses.push({ name, verifier, ...(url === undefined ? {} : { url }) });
  return undefined;
}

function takeGroup(policy: Policy, [name, least, ...members]: string[]): string | undefined {
  if (name === undefined || least === undefined || members.length === 0)
    return 'it is group <name> all|any|<k> <name>….';
  if (name === none || isKnown(policy, name)) return `the name ${name} is taken.`;
  const taken = policy.groups.flatMap((group) => group.members);
  for (const [i, member] of members.entries()) {
    if (!isKnown(policy, member)) return `nothing before it is called ${member}.`;
    if (taken.includes(member) || members.indexOf(member) !== i) return `${member} is a member already.`;
  }
  const count = least === 'all' ? members.length : least === 'any' ? 1 : /^[1-9]\d*$/.test(least) ? Number(least) : 0;
  if (count < 1 || count > members.length) return `of ${members.length} members not ${least} can be needed.`;
  policy.groups.push({ name, least: count, members });
  return undefined;
}

/** Whether witnesses are enough. @param cosigned their names within the policy */
export function isEnough({ quorum, groups }: Policy, cosigned: ReadonlySet<string>): boolean {
  // A group names what stands before it only, so that this ends.
  const has = (name: string): boolean => {
    const group = groups.find((one) => one.name === name);
    return group ? group.members.filter(has).length >= group.least : cosigned.has(name);
  };
  return quorum === none || has(quorum);
}

/** The names within a policy of those whose signatures hold. */
export function cosignersIn({ witnesses }: Policy, signatures: readonly Verified[]): Set<string> {
  const prefixes = signatures.map(({ name, id }) => `${name}+${id.toString(16).padStart(8, '0')}+`);
  return new Set(
    witnesses.filter(({ verifier }) => prefixes.some((one) => verifier.startsWith(one))).map(({ name }) => name),
  );
}

function isKnown({ witnesses, groups }: Policy, name: string): boolean {
  return witnesses.some((one) => one.name === name) || groups.some((one) => one.name === name);
}

/** Whether a policy has the same public key already, be it under another name. */
function isThere(keys: readonly PolicyKey[], verifier: string): boolean {
  return keys.some((one) => materialOf(one.verifier) === materialOf(verifier));
}

function materialOf(verifier: string): string {
  const text = verifier.split('+').slice(2).join('+');
  return base64(text)?.subarray(1).join() ?? verifier;
}
