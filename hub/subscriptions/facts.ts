/** A version of a resource as filters see it. */
import { scanResource } from '@causeway/fhir';
import { type Facts, type IndexKey, indexEntries, type StoredResource } from '../record/index.ts';

/**
 * @param text the version that is looked at
 * @param index the key of its hashes
 * @param tokens what it is found by, where that is known
 * @param persons the Patients that stand for the person whose it is
 */
export function factsOf(
  row: Pick<StoredResource, 'rid' | 'updated'>,
  text: string,
  index: IndexKey,
  tokens: Set<bigint> | undefined,
  persons: Set<string>,
): Facts {
  let entries: ReturnType<typeof indexEntries> | undefined;
  const made = () => {
    entries ??= indexEntries(scanned(text));
    return entries;
  };
  let hashes = tokens;
  return {
    rid: row.rid,
    updated: row.updated,
    get hashes() {
      hashes ??= new Set(index.keyed([...made().tokens, ...made().markers]));
      return hashes;
    },
    entries: made,
    persons,
  };
}

function scanned(text: string): Parameters<typeof indexEntries>[0] {
  const found = scanResource(text);
  if ('error' in found) throw new SyntaxError('A stored resource cannot be read.');
  return found;
}
