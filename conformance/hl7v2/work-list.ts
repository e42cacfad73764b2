/** What conversions leave in the original only, by field and component, the most frequent first: what to map next. */
import type { LedgerEntry } from '@causeway/mapping';

export interface Work {
  atoms: number;
  messages: number;
}

/** Adds the atoms of one message that are kept or rejected. */
export function addWork(work: Map<string, Work>, ledger: readonly LedgerEntry[]): void {
  const met = new Set<string>();
  for (const { source, disposition } of ledger) {
    if (disposition !== 'kept' && disposition !== 'rejected') continue;
    const field = source.replace(/\[\d+\]/g, '').replace(/\.1$/, '');
    const known = work.get(field) ?? { atoms: 0, messages: 0 };
    known.atoms++;
    if (!met.has(field)) known.messages++;
    met.add(field);
    work.set(field, known);
  }
}

/** The fields, ranked. */
export function workList(work: ReadonlyMap<string, Work>): ({ field: string } & Work)[] {
  return [...work].map(([field, counts]) => ({ field, ...counts })).sort((a, b) => b.atoms - a.atoms);
}
