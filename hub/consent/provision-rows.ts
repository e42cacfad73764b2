/** Rows of `consent_provision`: provisions as `hub/trust/decision.ts` holds them against the rows of the record. */
import { allLabels, authorName, coveredBy, type HeldProvision, isNaming } from '@causeway/access';
import { resourceTypes, searchParameters, typeCode } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import { codedHash, type IndexKey, ridOf } from '../record/index.ts';

export interface ProvisionRow {
  home: number;
  consent: string;
  node: number;
  parent: number | null;
  path: number[];
  effect: number;
  permits: boolean;
  named: boolean;
  covers: number;
  /** A tstzmultirange. */
  times: string;
  actors: string[] | null;
  purposes: string[] | null;
  labels: number | null;
  types: number[] | null;
  /** Hashes, in decimal digits. */
  codes: string[] | null;
  first_day: string | null;
  last_day: string | null;
  instances: string[] | null;
  /** It stands for what is not made yet. */
  stale: boolean;
}

const effects = { none: 0, permit: 1, deny: 2 };

/**
 * The rows of provisions for one source patient. What never applies to it, being about other organisations' records or
 * about no reading, is left out with its exceptions.
 * @param source the organisation whose patient it is
 * @param index the key of what their codes are held against
 */
export function provisionRows(
  home: number,
  source: string,
  provisions: readonly HeldProvision[],
  index: IndexKey,
): ProvisionRow[] {
  const applying = provisions.filter((provision) => {
    const path = provisions.filter((one) => one.consent === provision.consent && provision.path.includes(one.node));
    return path.every(({ never, authors, times }) => {
      return !never && times.length > 0 && (authors === undefined || authors.includes(authorName(source)));
    });
  });
  return applying.map((provision) => ({
    home,
    consent: provision.consent,
    node: provision.node,
    parent: provision.path.at(-2) ?? null,
    path: [...provision.path],
    effect: effects[provision.effect],
    permits: provision.permits,
    named: isNaming(provisions, provision),
    covers: coveredBy(provisions, provision) & allLabels,
    times: multirange(provision.times),
    actors: provision.actors ? [...provision.actors] : null,
    purposes: provision.purposes ? [...provision.purposes] : null,
    labels: provision.labels ?? null,
    types: provision.types ? provision.types.map((type) => typeCode(type)!) : null,
    codes: provision.codes ? hashesOf(index, provision.codes, provision.types) : null,
    first_day: provision.days ? (provision.days.from ?? '-infinity') : null,
    last_day: provision.days ? (provision.days.to ?? 'infinity') : null,
    instances: provision.instances
      ? provision.instances.flatMap((reference) => {
          const [type, id] = reference.split('/');
          const code = typeCode(type ?? '');
          return code === undefined || id === undefined ? [] : `${code}/${ridOf(id)}`;
        })
      : null,
    stale: false,
  }));
}

/** Puts rows in the place of those that homes have. */
export function writeProvisions(
  transaction: Transaction,
  homes: readonly number[],
  rows: readonly ProvisionRow[],
): void {
  transaction.send({
    name: 'consent_provisions_forget',
    text: 'DELETE FROM consent_provision WHERE home = ANY($1)',
    values: [homes],
  });
  if (rows.length === 0) return;
  transaction.send({
    name: 'consent_provisions_write',
    text: `INSERT INTO consent_provision SELECT * FROM jsonb_populate_recordset(NULL::consent_provision, $1::jsonb)`,
    values: [JSON.stringify(rows)],
  });
}

/** What rows are found by that have one of these codes (`system|code`) in any of their searched elements. */
function hashesOf(index: IndexKey, codes: readonly string[], types: readonly string[] = resourceTypes()): string[] {
  const found = new Set<bigint>();
  for (const type of types) {
    for (const { code: parameter } of searchParameters(type).filter((one) => one.type === 'token')) {
      for (const coding of codes) {
        const at = coding.lastIndexOf('|');
        found.add(codedHash(type, parameter, coding.slice(0, at), coding.slice(at + 1)));
      }
    }
  }
  return index.keyed([...found]).map(String);
}

/** Moments beyond these have no end here: PostgreSQL writes other years in another way. */
const [firstYear, lastYear] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T00:00:00Z')];

function multirange(times: HeldProvision['times']): string {
  const end = (at: number) => (at > firstYear && at < lastYear ? new Date(at).toISOString() : '');
  return `{${times.map(({ from, to }) => `[${end(from)},${end(to)})`).join(',')}}`;
}
