/** Which ledger entries stand for a place of the original that somebody has chosen. */
import type { LedgerEntry } from '../api/contract.ts';
import { fieldOf } from './er7-view.ts';

/** The entries within the place; where the ledger is coarser than the place, those of the narrowest entry around it. */
export function entriesAt(ledger: readonly LedgerEntry[], place: string): LedgerEntry[] {
  const within = ledger.filter((entry) => isWithin(entry.source, place));
  if (within.length > 0) return within;
  const around = ledger.filter((entry) => isWithin(place, entry.source));
  const narrowest = Math.max(0, ...around.map((entry) => entry.source.length));
  return around.filter((entry) => entry.source.length === narrowest);
}

/** True when a source is `place` or lies within it: `PID[1]-5[1].1` in `PID[1]-5`, `/a/b/@c` in `/a/b`. */
export function isWithin(source: string, place: string): boolean {
  const field = fieldOf(place);
  if (field) return fieldOf(source) === field;
  return source === place || (source.startsWith(place) && /^[./[]/.test(source.slice(place.length)));
}
