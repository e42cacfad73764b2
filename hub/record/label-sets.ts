/** The value sets of a network's label rules as they are written, and what is wrong with them. */
import { codingsOf, type LabelName, label } from '@causeway/access';
import { RecordError } from './errors.ts';
import type { CodesOf } from './label-rules.ts';

/** Codes that have a label. */
export interface LabelSet {
  label: LabelName;
  /** What people call it. */
  name: string;
  /** The canonical URL of the value set that they are of. */
  valueSet?: string;
  /** `system|code` */
  codes: string[];
}

/** As it is written: with its codes, or with the value set that has them. */
export type WrittenLabelSet = Omit<LabelSet, 'codes'> & { codes?: string[] };

const mostSets = 200;
const mostCodes = 100_000;
const members = ['label', 'name', 'valueSet', 'codes'];

/** Labels that codes can have: of the others one says not yet labelled, which is no meaning of a code. */
export const labelsOfCodes = (Object.keys(label) as LabelName[]).filter((name) => codingsOf(label[name]).length > 0);

/** Reads sets, with the codes of value sets as they are now, or says all that is wrong with them. */
export async function readLabelSets(
  written: unknown,
  codesOf: CodesOf,
): Promise<{ sets: LabelSet[] } | { wrong: string[] }> {
  if (!Array.isArray(written) || written.length > mostSets)
    return { wrong: [`sets must be a list of at most ${mostSets}.`] };
  const wrong: string[] = [];
  const sets: LabelSet[] = [];
  for (const [i, one] of written.entries()) {
    const faults = faultsOf(one);
    if (written.some((other, k) => k < i && other?.name === one?.name)) faults.push('name is that of another set.');
    const read = faults.length > 0 ? { faults } : await completed(one as WrittenLabelSet, codesOf);
    const place = typeof one?.name === 'string' ? `sets[${i}], ${one.name.slice(0, 100)}:` : `sets[${i}]:`;
    if ('faults' in read) wrong.push(...read.faults.map((fault) => `${place} ${fault}`));
    else sets.push(read);
  }
  if (sets.reduce((sum, { codes }) => sum + codes.length, 0) > mostCodes) {
    wrong.push(`sets have more than ${mostCodes} codes together.`);
  }
  return wrong.length > 0 ? { wrong } : { sets };
}

function faultsOf(set: unknown): string[] {
  if (typeof set !== 'object' || set === null || Array.isArray(set)) return ['must be an object.'];
  const faults = Object.keys(set).flatMap((name) => (members.includes(name) ? [] : [`${name} is not known.`]));
  const { label: named, name, valueSet, codes } = set as Record<string, unknown>;
  if (!labelsOfCodes.includes(named as LabelName)) faults.push(`label must be one of ${labelsOfCodes.join(', ')}.`);
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) faults.push('name must be a short text.');
  if ((valueSet === undefined) === (codes === undefined)) faults.push('either valueSet or codes must be given.');
  if (valueSet !== undefined && typeof valueSet !== 'string') faults.push('valueSet must be a canonical URL.');
  const isCode = (one: unknown) => typeof one === 'string' && /^[^|\s]+\|[^|\s]+(?: [^|\s]+)*$/.test(one);
  if (codes !== undefined && !(Array.isArray(codes) && codes.length > 0 && codes.every(isCode))) {
    faults.push('codes must be a list of system|code.');
  }
  return faults;
}

async function completed(set: WrittenLabelSet, codesOf: CodesOf): Promise<LabelSet | { faults: string[] }> {
  if (set.valueSet === undefined) return { label: set.label, name: set.name, codes: [...new Set(set.codes!)].sort() };
  try {
    const codes = [...new Set(await codesOf(set.valueSet))].sort();
    if (codes.length === 0) return { faults: [`the value set ${set.valueSet} has no codes.`] };
    return { label: set.label, name: set.name, valueSet: set.valueSet, codes };
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { faults: [error.message] };
  }
}
