/**
 * How alike two strings are: Jaro–Winkler (Winkler 1990) and optimal string alignment (Damerau 1964, restricted).
 */

/** Jaro–Winkler similarity, 0 to 1, prefix scale 0.1 over at most four characters. Symmetric. */
export function jaroWinkler(a: string, b: string): number {
  if (a === b) return 1;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (short.length === 0) return 0;
  const jaro = jaroOf(short, long);
  let prefix = 0;
  while (prefix < 4 && prefix < short.length && short.charCodeAt(prefix) === long.charCodeAt(prefix)) prefix++;
  return jaro + prefix * 0.1 * (1 - jaro);
}

/** True when one insertion, deletion, substitution or swap of neighbours (or nothing) turns `a` into `b`. */
export function withinOneEdit(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const extra = long.length - short.length;
  if (extra > 1) return false;
  let start = 0;
  while (start < short.length && short.charCodeAt(start) === long.charCodeAt(start)) start++;
  let end = 0;
  while (
    end < short.length - start &&
    short.charCodeAt(short.length - 1 - end) === long.charCodeAt(long.length - 1 - end)
  ) {
    end++;
  }
  const changed = short.length - start - end;
  if (extra === 1) return changed === 0;
  if (changed === 1) return true;
  return changed === 2 && short[start] === long[start + 1] && short[start + 1] === long[start];
}

/** Jaro similarity; greedy assignment is not symmetric by itself for equal lengths, so the larger of both is taken. */
function jaroOf(short: string, long: string): number {
  const forth = jaroOneWay(short, long);
  return short.length === long.length ? Math.max(forth, jaroOneWay(long, short)) : forth;
}

function jaroOneWay(short: string, long: string): number {
  const range = Math.max(0, Math.floor(long.length / 2) - 1);
  const taken = new Uint8Array(long.length);
  const matched: number[] = [];
  for (let i = 0; i < short.length; i++) {
    const last = Math.min(long.length - 1, i + range);
    for (let j = Math.max(0, i - range); j <= last; j++) {
      if (taken[j] === 0 && short.charCodeAt(i) === long.charCodeAt(j)) {
        taken[j] = 1;
        matched.push(short.charCodeAt(i));
        break;
      }
    }
  }
  if (matched.length === 0) return 0;
  let misplaced = 0;
  let next = 0;
  for (let j = 0; j < long.length; j++) {
    if (taken[j] === 1 && long.charCodeAt(j) !== matched[next++]) misplaced++;
  }
  const count = matched.length;
  return (count / short.length + count / long.length + (count - misplaced / 2) / count) / 3;
}
