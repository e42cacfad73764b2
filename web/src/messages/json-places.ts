/**
 * JSON members with their offsets, addressed as the ledger and FHIRPath address them: `Bundle.entry[3].resource.code`
 * (RFC 8259; FHIR R4 §2.6.2). The first name is the resource's type and names the whole text. Text that is no JSON gives
 * the places up to where it breaks.
 */
import type { Places, Range } from './places.ts';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

interface Member {
  path: string;
  range: Range;
}

/** @param text JSON as it is shown */
export function jsonPlaces(text: string): Places {
  const members = readMembers(text);
  const byPath = new Map(members.map(({ path, range }) => [path, range]));
  return {
    placeOf: (source) => byPath.get(source.slice(rootLength(source))),
    sourceAt: (offset) => {
      // Inner members are read before the ones around them: the first that holds the offset is the narrowest.
      const member = members.find(({ path, range }) => path !== '' && range[0] <= offset && offset < range[1]);
      return member && `${rootType(text)}${member.path}`;
    },
  };
}

/** Members in the order in which they end; a member's range begins at its name. */
function readMembers(text: string): Member[] {
  const members: Member[] = [];
  const open: { path: string; start: number; isArray: boolean; at: number }[] = [];
  let [start, expectsName] = [0, false];
  let name = '';
  for (const match of text.matchAll(TOKEN)) {
    const [token, at] = [match[0], match.index];
    const holder = open.at(-1);
    if (token === ':' || token === ',') {
      expectsName = token === ',' && holder?.isArray === false;
      if (token === ',' && holder?.isArray) holder.at += 1;
      continue;
    }
    if (token === '}' || token === ']') {
      const closed = open.pop();
      if (closed) members.push({ path: closed.path, range: [closed.start, at + 1] });
      continue;
    }
    if (expectsName) {
      [name, start, expectsName] = [token.slice(1, -1), at, false];
      continue;
    }
    if (!holder || holder.isArray) start = at;
    const path = holder ? holder.path + (holder.isArray ? `[${holder.at}]` : `.${name}`) : '';
    if (token === '{' || token === '[') {
      open.push({ path, start, isArray: token === '[', at: 0 });
      expectsName = token === '{';
    } else members.push({ path, range: [start, at + token.length] });
  }
  return members;
}

function rootLength(source: string): number {
  return /^[A-Za-z]*/.exec(source)![0].length;
}

function rootType(text: string): string {
  return /"resourceType"\s*:\s*"([A-Za-z]+)"/.exec(text)?.[1] ?? '';
}
