/**
 * The published value sets and code systems, as `compileTerminology` makes them. They are kept as one text: of the some
 * two thousand, a search needs a few, and those are parsed when they are asked for.
 */
import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { compileTerminology } from './compile-terminology.ts';

let read: () => Promise<Buffer> = async () => Buffer.from(compileTerminology());
let kept: Promise<{ lines: Buffer; places: Map<string, [from: number, to: number]> }> | undefined;

/** Says where the compiled lines come from, at their first use; without it they are compiled then. */
export function useTerminology(source: () => Promise<Buffer>): void {
  read = source;
  kept = undefined;
}

/** A published resource by its canonical URL, in that version or the newest; undefined where there is none. */
export async function publishedTerminology<T extends 'CodeSystem' | 'ValueSet'>(
  type: T,
  url: string,
  version?: string,
): Promise<Extract<CodeSystem | ValueSet, { resourceType: T }> | undefined> {
  kept ??= places();
  const { lines, places: known } = await kept;
  const place = known.get(keyOf(type, url, version));
  return place && JSON.parse(lines.toString('utf8', ...place));
}

async function places() {
  const lines = await read();
  const found = new Map<string, [number, number]>();
  for (let from = 0; from < lines.length; ) {
    const to = lines.indexOf(10, from);
    const head = /^\{"resourceType":"(\w+)","url":"([^"]+)"(?:,"version":"([^"]*)")?/.exec(
      lines.toString('utf8', from, Math.min(to, from + 500)),
    );
    if (head) {
      const [, type, url, version] = head as unknown as [string, string, string, string | undefined];
      for (const key of [keyOf(type, url), keyOf(type, url, version)]) if (!found.has(key)) found.set(key, [from, to]);
    }
    from = to + 1;
  }
  return { lines, places: found };
}

function keyOf(type: string, url: string, version?: string): string {
  return version === undefined ? `${type} ${url}` : `${type} ${url}|${version}`;
}
