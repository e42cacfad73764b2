/** Codes of Observations by how many of these there are: a rare, a middling and a frequent one. */
import { HttpConnection } from './http-connection.ts';
import { bundleAt, expect, type FhirTarget } from './server.ts';

export interface TokenValue {
  /** `system|code`. */
  code: string;
  matches: number;
  /** The path of the first page. */
  path: string;
}

/** Matches that even the rare value has, so that each first page is full. */
const pageSize = 10;
const chartsSeen = 40;
const codesCounted = 60;

/** The codes in some patients' charts, counted over all patients; the rarest, the one in the middle, the most frequent. */
export async function tokenValues(target: FhirTarget, patients: string[]): Promise<TokenValue[]> {
  const connection = new HttpConnection(target.base, target.token);
  try {
    const codes = new Set<string>();
    for (const id of patients.slice(0, chartsSeen)) {
      const { entry } = await bundleAt(connection, `/Observation?patient=${id}&_count=200`);
      for (const { resource } of entry ?? []) {
        const coding = resource?.resourceType === 'Observation' ? resource.code?.coding?.[0] : undefined;
        if (coding?.system && coding.code) codes.add(`${coding.system}|${coding.code}`);
      }
    }
    const counted: TokenValue[] = [];
    for (const code of [...codes].slice(0, codesCounted)) {
      const search = `/Observation?code=${encodeURIComponent(code)}`;
      const { body } = expect(await connection.request('GET', `${search}&_summary=count`), 'The count', 200);
      const { total } = JSON.parse(body.toString('utf8')) as { total?: number };
      if (total !== undefined && total >= pageSize)
        counted.push({ code, matches: total, path: `${search}&_count=${pageSize}` });
    }
    return threeOf(counted);
  } finally {
    connection.close();
  }
}

/** The value of fewest matches, that whose matches lie nearest the geometric middle, and that of most. */
export function threeOf(values: TokenValue[]): TokenValue[] {
  const sorted = values.toSorted((a, b) => a.matches - b.matches);
  const [rare, frequent] = [sorted[0], sorted.at(-1)];
  if (!rare || !frequent || rare.matches === frequent.matches)
    throw new Error('The server has no two codes of Observations that are differently frequent.');
  const middle = Math.sqrt(rare.matches * frequent.matches);
  const away = ({ matches }: TokenValue) => Math.abs(Math.log(matches / middle));
  const between = sorted.slice(1, -1).toSorted((a, b) => away(a) - away(b))[0];
  return between ? [rare, between, frequent] : [rare, frequent];
}
