/** Holds a conversion's ledger against content found by a reading of our own: is each atom told of, and truthfully? */
import type { Conversion, Disposition, LedgerEntry } from '@causeway/mapping';
import { Output } from './presence.ts';

/** One piece of content of the source, at the ledger's own notation of places. */
export interface SourceAtom {
  path: string;
  value: string;
}

/** Atoms by what became of them, over one case or many. */
export interface Account extends Record<Disposition, number> {
  atoms: number;
  /** With an entry in the ledger that holds: all but the missing and the false ones. */
  accounted: number;
  /** Said to be mapped and found only in another element of the resource named. */
  misplaced: number;
}

export interface LedgerFindings {
  account: Account;
  /** Atoms of which the ledger says nothing. */
  missing: string[];
  /** Atoms said to be mapped whose value is not in the resource named. */
  untrue: string[];
  /** Atoms that the ledger tells of more than once. */
  doubled: string[];
}

export function emptyAccount(): Account {
  return { atoms: 0, accounted: 0, mapped: 0, consumed: 0, structural: 0, kept: 0, rejected: 0, misplaced: 0 };
}

/** Checks one conversion. Places are told, values never. */
export function checkLedger(atoms: readonly SourceAtom[], conversion: Conversion): LedgerFindings {
  const entries = new Map<string, LedgerEntry>();
  const doubled: string[] = [];
  for (const entry of conversion.ledger) {
    if (entries.has(entry.source)) doubled.push(entry.source);
    entries.set(entry.source, entry);
  }
  const output = new Output(conversion.facts.map(({ resource }) => resource));
  const account = emptyAccount();
  const missing: string[] = [];
  const untrue: string[] = [];
  for (const { path, value } of atoms) {
    account.atoms++;
    const entry = entries.get(path);
    if (entry === undefined) {
      missing.push(path);
      continue;
    }
    account[entry.disposition]++;
    if (entry.disposition === 'mapped') {
      const presence = output.presence(value, entry.target ?? '', entry.part);
      if (presence === 'absent') {
        account.mapped--;
        untrue.push(`${path} → ${(entry.target ?? 'no target').replace(/\/[^#]*/, '')}`);
        continue;
      }
      if (presence === 'elsewhere') account.misplaced++;
    }
    account.accounted++;
  }
  return { account, missing, untrue, doubled };
}

export function addAccount(sum: Account, more: Account): void {
  for (const key of Object.keys(more) as (keyof Account)[]) sum[key] += more[key];
}

/** Reasons to fail a case, none when the ledger is whole and true. */
export function reasonsOf({ missing, untrue, doubled }: LedgerFindings): string[] {
  const reasons: string[] = [];
  if (missing.length > 0) reasons.push(`${missing.length} atoms not in the ledger: ${some(missing)}`);
  if (untrue.length > 0) reasons.push(`${untrue.length} mapped values not found: ${some(untrue)}`);
  if (doubled.length > 0) reasons.push(`${doubled.length} atoms twice in the ledger: ${some(doubled)}`);
  return reasons;
}

/** The first few of a list of places. */
export function some(places: readonly string[]): string {
  return places.slice(0, 6).join(', ') + (places.length > 6 ? ', …' : '');
}
