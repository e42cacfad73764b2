/**
 * Suite `region`: the region's own messages are converted, the Patients matched, and the outcome held against what the
 * region knows to be true.
 */
import { demographicsOf, prepare } from '@causeway/matching';
import { type TruthRecord, truth } from '@causeway/region';
import type { Patient } from '@medplum/fhirtypes';
import { type SuiteResult, Verdicts } from '../result.ts';
import { linkRecords, qualityOf } from './link.ts';
import { sourcePatients } from './source-patients.ts';

/** What matching has to reach, in percent. */
const BOUNDS = { precision: 99.5, recall: 97, lookAlikesLinked: 0.5 };

/** What is known of the person behind each Patient. */
interface Known {
  person: string;
  record: TruthRecord;
}

/** Runs the region at a size. Each message is a case, and so is each bound. */
export function runRegion(people: number): SuiteResult {
  const verdicts = new Verdicts();
  const { patients, merged, messages, refused } = sourcePatients(people);
  const { known, relatives } = truthOf(people, patients);
  const began = performance.now();
  const records = [...patients].map(([id, { patient }]) => ({ id, prepared: prepare(demographicsOf(patient)) }));
  const { clusters, compared, reviews } = linkRecords(records, merged);
  const matching_seconds = Math.round(performance.now() - began) / 1000;

  const quality = qualityOf(clusters, countedPeople(known));
  const lookAlikes = wronglyLinked(clusters, known, relatives);
  const placeholders = placeholdersLinked(clusters, known, merged);
  const unknown = patients.size - known.size;
  const lookAlikesLinked = (100 * lookAlikes.linked) / Math.max(1, lookAlikes.pairs);
  const bound = (name: string, holds: boolean, said: string) =>
    verdicts.check(`region: ${name}`, () => ({ reasons: holds ? [] : [said] }));

  bound('every message converts', refused.length === 0, `${refused.length}, first: ${refused[0]?.reason}`);
  bound('every Patient is known to the truth', unknown === 0, `${unknown} Patients are not`);
  bound('precision', quality.precision >= BOUNDS.precision, `${quality.precision} % is below ${BOUNDS.precision} %`);
  bound('recall', quality.recall >= BOUNDS.recall, `${quality.recall} % is below ${BOUNDS.recall} %`);
  bound(
    'twins and same-name relatives stay apart',
    lookAlikesLinked <= BOUNDS.lookAlikesLinked,
    `${lookAlikes.linked} of ${lookAlikes.pairs} pairs are linked`,
  );
  bound(
    'placeholders are never linked',
    placeholders.linked === 0,
    `${placeholders.linked} of ${placeholders.all} are`,
  );
  return {
    ...verdicts.result,
    people,
    messages,
    refused_messages: refused.length,
    source_patients: patients.size,
    compared,
    reviews: reviews.length,
    matching_seconds,
    ...quality,
    look_alike_pairs: lookAlikes.pairs,
    look_alikes_linked: lookAlikes.linked,
    placeholders: placeholders.all,
    placeholders_linked: placeholders.linked,
    summary: [
      `region of ${people} people: ${messages} messages, ${patients.size} source patients, ${compared} pairs compared`,
      `precision ${quality.precision} %, recall ${quality.recall} %, F1 ${quality.f1} %, ${reviews.length} pairs to review`,
      `twins and same-name relatives linked: ${lookAlikes.linked} of ${lookAlikes.pairs} pairs`,
      `placeholders linked: ${placeholders.linked} of ${placeholders.all}`,
    ].join('\n'),
  };
}

/** Which person each Patient is, and which pairs of people are easily taken for one. */
function truthOf(people: number, patients: ReadonlyMap<string, { site: string; patient: Patient }>) {
  const byIdentifier = new Map<string, string>();
  for (const [key, { site, patient }] of patients) {
    for (const { system, value } of patient.identifier ?? []) byIdentifier.set(`${site} ${system} ${value}`, key);
  }
  const known = new Map<string, Known>();
  const relatives: [string, string][] = [];
  for (const { person, records, relations } of truth({ people })) {
    for (const record of records) {
      const key = byIdentifier.get(`${record.site} ${record.identifier.system} ${record.identifier.value}`);
      if (key !== undefined) known.set(key, { person, record });
    }
    for (const { kind, person: other } of relations) {
      if ((kind === 'twin of' || kind.startsWith('namesake')) && person < other) relatives.push([person, other]);
    }
  }
  return { known, relatives };
}

/**
 * The records that count: not those the site itself has merged into another (their link is told, not found), and not
 * those that only ever stood under a stand-in name (nobody can know whose they are).
 */
function countedPeople(known: ReadonlyMap<string, Known>): Map<string, string> {
  const counted = new Map<string, string>();
  for (const [key, { person, record }] of known) {
    if (record.mergedInto === undefined && record.placeholder !== 'unresolved') counted.set(key, person);
  }
  return counted;
}

function wronglyLinked(
  clusters: readonly (readonly string[])[],
  known: ReadonlyMap<string, Known>,
  relatives: readonly [string, string][],
) {
  const together = new Set<string>();
  for (const members of clusters) {
    const here = new Set(members.flatMap((key) => known.get(key)?.person ?? []));
    for (const a of here) for (const b of here) if (a < b) together.add(`${a} ${b}`);
  }
  return { pairs: relatives.length, linked: relatives.filter(([a, b]) => together.has(`${a} ${b}`)).length };
}

/** Records under a stand-in name that share a cluster with one that their site has not merged them with. */
function placeholdersLinked(
  clusters: readonly (readonly string[])[],
  known: ReadonlyMap<string, Known>,
  merged: readonly (readonly [string, string])[],
) {
  const told = new Set(merged.flat());
  const unresolved = (key: string) => known.get(key)?.record.placeholder === 'unresolved' && !told.has(key);
  const all = [...known.keys()].filter(unresolved).length;
  const linked = clusters.filter(({ length }) => length > 1).flatMap((members) => members.filter(unresolved)).length;
  return { all, linked };
}
