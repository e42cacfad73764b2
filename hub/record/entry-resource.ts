/** The resource of a Bundle's entry: at hand, or kept in a spool until its turn comes. */
import { isFhirError, type ScannedResource, scanResource } from '@causeway/fhir';
import { hasSecurity } from './shown-labels.ts';
import type { TextSpool } from './text-spool.ts';

export interface EntryResource {
  readonly resourceType: string;
  /** The id that it came with. */
  readonly id: string | undefined;
  readonly references: readonly { path: string; value: string }[];
  /** Whether it brings security labels along. */
  readonly hasSecurity: boolean;
  /** Characters that are in memory only while it is worked on; 0 where they are anyway. */
  readonly keptLength: number;
  scanned(): ScannedResource;
}

export function atHand(scanned: ScannedResource): EntryResource {
  const { resourceType, id, references } = scanned;
  return { resourceType, id, references, hasSecurity: hasSecurity(scanned), keptLength: 0, scanned: () => scanned };
}

/** Keeps a resource in a spool, and in memory what a Bundle is planned by. @param own gives a text of its own memory */
export function kept(scanned: ScannedResource, spool: TextSpool, own: (text: string) => string): EntryResource {
  const { resourceType, text } = scanned;
  const number = spool.put(text, resourceType);
  return {
    resourceType: own(resourceType),
    id: scanned.id === undefined ? undefined : own(scanned.id),
    references: scanned.references.map(({ path, value }) => ({ path: own(path), value: own(value) })),
    hasSecurity: hasSecurity(scanned),
    keptLength: text.length,
    scanned: () => {
      const again = scanResource(spool.text(number, resourceType));
      if (isFhirError(again)) throw new Error('A spooled resource cannot be read again.');
      return again;
    },
  };
}
