/** Where the atoms of a message stood and where they went, read from its ledger. */
import type { Disposition, LedgerEntry } from '../../conversion.ts';

/** Where an atom stood and where it went. */
export interface Place {
  segment: string;
  occurrence: number;
  field: number;
  repetition: number;
  component: number;
  subcomponent: number;
  disposition: Disposition;
  target: string;
  part: LedgerEntry['part'];
}

/** The entries of a ledger that a message can be written from, in the order of the message. */
export function placesOf(ledger: readonly LedgerEntry[]): Place[] {
  return ledger.flatMap(({ source, disposition, target = '', part }) => {
    const found = /^([A-Z][A-Z0-9]{2})\[(\d+)\]-(\d+)\[(\d+)\]\.(\d+)\.(\d+)$/.exec(source);
    if (found === null || disposition === 'kept' || disposition === 'rejected') return [];
    const [occurrence, field, repetition, component, subcomponent] = found.slice(2).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return [{ segment: found[1]!, occurrence, field, repetition, component, subcomponent, disposition, target, part }];
  });
}
