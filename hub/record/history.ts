/** A page of the history of a resource, a type or everything (FHIR R4 §3.1.0.12). */
import type { Access } from '../trust/index.ts';
import { logicalId } from './logical-id.ts';
import type { HistoryPage, Reader, StoredResource } from './read.ts';

/** A page of a history. */
export interface History {
  versions: StoredResource[];
  /** The logical id of each version. */
  ids: string[];
  /** The cursor of the next page. */
  next: number | undefined;
  total: number | undefined;
}

/** The page, its total where that costs next to nothing; undefined where there is no such resource to be seen. */
export async function historyPage(
  reader: Reader,
  access: Access,
  scope: { type?: string; id?: string },
  page: HistoryPage,
): Promise<History | undefined> {
  const found = await reader.history(access, scope, { ...page, count: page.count + 1 });
  const isAll = page.since === undefined && page.at === undefined;
  const countAll = () => reader.versionCount(access, scope.type!, scope.id!);
  if (found.length === 0 && scope.id !== undefined && page.before === undefined) {
    if (isAll || (await countAll()) === 0) return undefined;
  }
  const versions = found.slice(0, page.count);
  const isWhole = page.before === undefined && found.length <= page.count;
  const total = isWhole ? found.length : scope.id !== undefined && isAll ? await countAll() : undefined;
  return {
    versions,
    ids: await Promise.all(versions.map((stored) => scope.id ?? idOf(reader, access, stored))),
    next: found.length > page.count ? versions.at(-1)!.seq : undefined,
    total,
  };
}

/** The id of a version; that of a deletion is told by the version before it. */
async function idOf(reader: Reader, access: Access, { text, type, rid, version }: StoredResource): Promise<string> {
  if (text !== '') return logicalId(text);
  const before = await reader.vread(access, type, rid, version - 1);
  return before && before.text !== '' ? logicalId(before.text) : rid;
}
