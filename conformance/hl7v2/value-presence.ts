/**
 * How much of what a message says is found anywhere in what was made of it, whatever any ledger says: the share of
 * values that stand in some leaf of the output. It is an upper bound of what was mapped, and the same for any converter:
 * beside the hub's share it tells that of the bundle which the case's own source expects.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { leavesOf, saysTheSame } from '../presence.ts';
import type { RawAtom } from './atoms.ts';

/** Values looked for and found, by the hub and by the bundle expected. */
export interface PresenceTally {
  messages: number;
  values: number;
  found: number;
  expected_found: number;
}

export function emptyPresence(): PresenceTally {
  return { messages: 0, values: 0, found: 0, expected_found: 0 };
}

/** Adds one message to the tally. */
export function addPresence(tally: PresenceTally, atoms: readonly RawAtom[], output: unknown, expected: unknown): void {
  const values = atoms.filter(isValue).map(({ value }) => value);
  tally.messages++;
  tally.values += values.length;
  tally.found += foundIn(values, output);
  tally.expected_found += foundIn(values, expected);
}

/** The bundle expected of a message file: `expected/TYPE/NAME-expected.json` beside the file's folder. */
export function expectedBundle(cases: string, id: string): unknown {
  const folder = join(dirname(dirname(join(cases, id))), 'expected');
  if (!existsSync(folder)) return undefined;
  const name = `${basename(id).replace(/\.\w+$/, '')}-expected.json`;
  const type = readdirSync(folder).find((one) => existsSync(join(folder, one, name)));
  return type === undefined ? undefined : JSON.parse(readFileSync(join(folder, type, name), 'utf8'));
}

/** How many of the values stand in some leaf. */
export function foundIn(values: readonly string[], output: unknown): number {
  const leaves = [...new Set(leavesOf(output))];
  const exact = new Set(leaves);
  const known = new Map<string, boolean>();
  let found = 0;
  for (const value of values) {
    let there = known.get(value);
    if (there === undefined) {
      there = exact.has(value) || leaves.some((leaf) => saysTheSame(leaf, value));
      known.set(value, there);
    }
    if (there) found++;
  }
  return found;
}

/** Segments whose first field numbers them (type SI). */
const NUMBERED =
  /^(PID|NK1|PV1|AL1|IAM|DG1|PR1|GT1|IN1|IN3|DB1|ACC|ARV|OBR|OBX|NTE|SPM|FT1|TXA|AIS|AIG|AIL|AIP|RGS|TQ1|TQ2|UB1|UB2|SFT|CON|RXA|RXD)\[\d+\]-1\[/;

/** Whether an atom is a value: neither a delimiter of the header nor the number of a segment. */
function isValue({ path }: RawAtom): boolean {
  return !/^(MSH|FHS|BHS)\[\d+\]-[12]\[/.test(path) && !NUMBERED.test(path);
}
