/**
 * Which profiles, tags and security labels are in use (`$meta` of a type or of the system,
 * https://hl7.org/fhir/R4/resource-operation-meta.html). Labels are noted in the transaction that first stores one; what
 * is told are those that a search finds under the caller's access at the time.
 */
import { label as bits, codingsOf } from '@causeway/access';
import { typeCode, typeName } from '@causeway/fhir';
import type { Meta } from '@medplum/fhirtypes';
import type { Database, Transaction } from '../database/index.ts';
import { Pace } from '../pace.ts';
import type { Access } from '../trust/index.ts';
import { RecordError } from './errors.ts';
import type { FhirRecord } from './record.ts';
import type { Version } from './transaction-resources.ts';
import { summing, type WriteSet } from './write-set.ts';

interface Label {
  type: string;
  kind: 'profile' | 'tag' | 'security';
  system: string;
  code: string;
  display: string | undefined;
}

/** Labels remembered as noted; with more in use, some are noted again, which changes nothing. */
const remembered = 20_000;
/** Longer ones, and more than these, are found by searches but not listed. */
const longestLabel = 1_000;
const maximumListed = 1_000;
const searchesAtOnce = 8;

export class Labels {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #noted = new Set<string>();
  readonly #fresh = new WeakMap<WriteSet, string[]>();

  /** Notes the labels of every transaction of the record. */
  constructor(database: Database, record: FhirRecord) {
    this.#database = database;
    this.#record = record;
    record.writer.beforeCommit((set, transaction) => this.#note(set, transaction));
    record.writer.afterCommit((set) => {
      if (this.#noted.size > remembered) this.#noted.clear();
      for (const key of this.#fresh.get(set) ?? []) this.#noted.add(key);
    });
  }

  /** The labels that resources of a type, or of any, have. @throws RecordError 413 where there are too many to list */
  async inUse(access: Access, type: string | undefined): Promise<Meta> {
    const { rows } = await this.#database.query({
      name: 'labels',
      text: `SELECT type, kind, system, code, display FROM label WHERE $1::smallint IS NULL OR type = $1
             ORDER BY kind, system, code, type LIMIT ${maximumListed + 1}`,
      values: [type === undefined ? null : typeCode(type)],
    });
    if (rows.length > maximumListed) {
      throw new RecordError(413, 'too-costly', `More than ${maximumListed} labels are in use here; ask for a type.`);
    }
    const labels = rows.map((row) => ({ ...row, type: typeName(row.type)! }) as Label);
    const used: boolean[] = [];
    for (let i = 0; i < labels.length; i += searchesAtOnce) {
      const some = labels.slice(i, i + searchesAtOnce);
      used.push(...(await Promise.all(some.map((label) => this.#isUsed(access, label)))));
    }
    return metaOfLabels(labels.filter((_, i) => used[i]));
  }

  async #isUsed(access: Access, { type, kind, system, code }: Label): Promise<boolean> {
    const value = (kind === 'profile' ? code : `${system}|${code}`).replaceAll(',', '\\,');
    const parameters: [string, string][] = [
      [`_${kind}`, value],
      ['_count', '1'],
    ];
    const { matches } = await this.#record.search(access, this.#record.readSearch(type, parameters, false));
    return matches.length > 0;
  }

  async #note(set: WriteSet, transaction: Transaction): Promise<void> {
    const fresh = new Map<string, Label>();
    const pace = new Pace();
    const stated = statedLabels(set);
    for (const change of set.changes) {
      if (pace.isDue) await pace.rest();
      const { after } = change;
      const meta = change.meta as Meta | undefined;
      const isBare = !meta || (!meta.profile && !meta.tag && !meta.security);
      const labels = after.labels | (stated.get(after) ?? 0);
      if (isBare && labels <= bits.unlabelled) continue;
      const { profile, tag, security = [] }: Meta = meta ?? {};
      const own = { profile: profile ?? [], tag: tag ?? [], security: [...security, ...codingsOf(labels)] };
      for (const label of labelsOf(after.type, own)) {
        const key = `${label.type} ${label.kind} ${label.system}|${label.code}`;
        if (!this.#noted.has(key)) fresh.set(key, label);
      }
    }
    if (fresh.size === 0) return;
    const keys = [...fresh.keys()].sort();
    const labels = keys.map((key) => fresh.get(key)!);
    await transaction.query({
      name: 'labels_note',
      text: `INSERT INTO label (type, kind, system, code, display)
             SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
      values: [
        labels.map(({ type }) => typeCode(type)),
        labels.map(({ kind }) => kind),
        labels.map(({ system }) => system),
        labels.map(({ code }) => code),
        labels.map(({ display }) => display ?? null),
      ],
    });
    this.#fresh.set(set, keys);
  }
}

/** The labels that documents and reports will have of what came with them. */
function statedLabels({ changes }: WriteSet): Map<Version, number> {
  const documents = changes.filter(({ after: { type, message } }) => message !== undefined && summing.has(type));
  if (documents.length === 0) return new Map();
  const sums = new Map<string, number>();
  for (const { after } of changes) {
    if (after.message !== undefined) sums.set(after.message, (sums.get(after.message) ?? 0) | after.labels);
  }
  return new Map(documents.map(({ after }) => [after, sums.get(after.message!)!]));
}

function labelsOf(type: string, { profile, tag, security }: Meta): Label[] {
  const codings = [tag ?? [], security ?? []].flatMap((list, i) =>
    list.map(({ system, code, display }) => ({
      type,
      kind: i === 0 ? ('tag' as const) : ('security' as const),
      system: system ?? '',
      code: code ?? '',
      display,
    })),
  );
  const profiles = (profile ?? []).map((code) => ({
    type,
    kind: 'profile' as const,
    system: '',
    code,
    display: undefined,
  }));
  return [...profiles, ...codings].filter(
    ({ system, code }) => code !== '' && system.length + code.length <= longestLabel,
  );
}

function metaOfLabels(labels: readonly Label[]): Meta {
  const distinct = [...new Map(labels.map((label) => [`${label.kind} ${label.system}|${label.code}`, label])).values()];
  const codings = (wanted: 'tag' | 'security') =>
    distinct
      .filter(({ kind }) => kind === wanted)
      .map(({ system, code, display }) => ({ ...(system ? { system } : {}), code, ...(display ? { display } : {}) }));
  const profile = distinct.filter(({ kind }) => kind === 'profile').map(({ code }) => code);
  return {
    ...(profile.length > 0 ? { profile } : {}),
    ...(codings('security').length > 0 ? { security: codings('security') } : {}),
    ...(codings('tag').length > 0 ? { tag: codings('tag') } : {}),
  };
}
