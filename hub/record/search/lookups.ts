/** What a search looks up beside its statement: whose a patient is, what codes mean, what Lists name. */
import type { Access } from '../../trust/index.ts';
import type { Reader } from '../read.ts';
import type { SearchContext } from './predicate.ts';

/** What compiling filters looks up; a statement's own values apart. */
export type Lookups = Omit<SearchContext, 'parameter'>;

/** The same lookups, each made once, however often the filters are compiled: a search has several statements. */
export function once(lookups: Lookups): Lookups {
  const { codes } = lookups;
  const valueSet = remembered((url: string) => codes.valueSet(lookups.access, url));
  const hierarchy = remembered((direction: 'above' | 'below', token: string) =>
    codes.hierarchy(lookups.access, direction, token),
  );
  return {
    access: lookups.access,
    index: lookups.index,
    query: remembered(lookups.query),
    resolvePatient: remembered(lookups.resolvePatient),
    members: remembered(lookups.members),
    codes: {
      valueSet: (_, url) => valueSet(url),
      hierarchy: (_, direction, token) => hierarchy(direction, token),
    },
  };
}

function remembered<A extends unknown[], R>(ask: (...asked: A) => Promise<R>): (...asked: A) => Promise<R> {
  const known = new Map<string, Promise<R>>();
  return (...asked) => {
    const key = JSON.stringify(asked);
    let answer = known.get(key);
    if (!answer) {
      answer = ask(...asked);
      known.set(key, answer);
    }
    return answer;
  };
}

/** What List resources name, those that may be read. */
export async function listMembers(
  reader: Reader,
  access: Access,
  ids: readonly string[],
): Promise<{ type: string; id: string }[]> {
  const lists = await Promise.all(ids.map((id) => reader.read(access, 'List', id)));
  return lists.flatMap((stored) => {
    if (!stored || stored.deleted) return [];
    const { entry = [] } = JSON.parse(stored.text) as {
      entry?: { deleted?: boolean; item?: { reference?: string } }[];
    };
    return entry.flatMap(({ deleted, item }) => {
      const named = deleted ? null : /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})/.exec(item?.reference ?? '');
      return named ? [{ type: named[1]!, id: named[2]! }] : [];
    });
  });
}
