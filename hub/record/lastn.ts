/**
 * Observation `$lastn` (https://hl7.org/fhir/R4/observation-operation-lastn.html): the most recent observations of each
 * code of one patient. Codes that share a coding are one, also by way of a third; texts without a coding stand for
 * themselves; what was observed at the same time as the last one that counts is given out too.
 */
import type { Access } from '../trust/index.ts';
import { timeOf } from './care-time.ts';
import { RecordError } from './errors.ts';
import type { StoredResource } from './read.ts';
import type { SearchRequest, SearchResult } from './search/index.ts';

/** What is asked of the record. */
export interface LastnSearch {
  readSearch(type: string, parameters: Iterable<[string, string]>, lenient: boolean): SearchRequest;
  search(access: Access, request: SearchRequest): Promise<SearchResult>;
}

const pageSize = 1_000;
/** One code may join two groups at any time, so that all that is found has to be looked at. */
const maximumObservations = 50_000;
const maximumAnswer = 5_000;

/** Parameters of a search that would change what is counted, or how it is given out. */
const refused = ['_count', '_sort', '_total', '_summary', '_include', '_revinclude', '_cursor', '_elements'];

/**
 * Newest first. `parameters`: those of a search for Observations, without `max`.
 * @throws RecordError 400 without a patient, or without a category or code
 */
export async function lastObservations(
  record: LastnSearch,
  access: Access,
  parameters: URLSearchParams,
  max: number,
): Promise<StoredResource[]> {
  checkParameters(parameters);
  const groups = new Groups(max);
  let cursor: string | undefined;
  let looked = 0;
  do {
    const page = new URLSearchParams(parameters);
    page.set('_count', String(pageSize));
    if (cursor !== undefined) page.set('_cursor', cursor);
    const { matches, next } = await record.search(access, record.readSearch('Observation', page, false));
    looked += matches.length;
    if (next !== undefined && looked >= maximumObservations) {
      throw tooCostly(`More than ${maximumObservations} observations match; name a category, a code or a date.`);
    }
    for (const stored of matches) groups.add(readObservation(stored));
    cursor = next;
  } while (cursor !== undefined);
  const found = groups.latest().sort((a, b) => b.time - a.time || b.stored.seq - a.stored.seq);
  if (found.length > maximumAnswer) {
    throw tooCostly(
      `The answer would have more than ${maximumAnswer} observations; name a category, a code or a date.`,
    );
  }
  return found.map(({ stored }) => stored);
}

function checkParameters(parameters: URLSearchParams): void {
  const names = [...parameters.keys()].map((name) => name.split(/[:.]/)[0]!);
  const extra = names.find((name) => refused.includes(name));
  if (extra !== undefined) {
    throw new RecordError(400, 'not-supported', `$lastn takes no ${extra}: it answers the last of each code.`, extra);
  }
  const patients = names.filter((name) => name === 'patient' || name === 'subject');
  if (patients.length !== 1) {
    throw new RecordError(400, 'required', '$lastn needs one of the parameters patient and subject, once.', 'patient');
  }
  const patient = parameters.get('patient') ?? parameters.get('subject');
  if (patient === null || patient.includes(',')) {
    throw new RecordError(400, 'value', '$lastn is about one patient: name it as Patient/ and its id.', 'patient');
  }
  if (!names.some((name) => name === 'category' || /(?:^|-)code(?:$|-)/.test(name))) {
    throw new RecordError(400, 'required', '$lastn needs the parameter category or code.', 'category');
  }
}

interface Observed {
  stored: StoredResource;
  /** What it is observed of, each spelling of its code. */
  codes: string[];
  /** Milliseconds since 1970. */
  time: number;
}

function readObservation(stored: StoredResource): Observed {
  const resource = JSON.parse(stored.text) as Record<string, unknown>;
  const { coding, text } = resource.code as { coding?: { system?: string; code?: string }[]; text?: string };
  const codes = (coding ?? [])
    .filter(({ code }) => code !== undefined)
    .map(({ system, code }) => `${system ?? ''}|${code}`);
  return { stored, codes: codes.length > 0 ? codes : [`text ${text ?? ''}`], time: observedAt(resource) };
}

/** When it was observed: the end of a period that has one, else its beginning; long ago where nothing says when. */
function observedAt(resource: Record<string, unknown>): number {
  const effective = ['effectiveDateTime', 'effectiveInstant', 'effectivePeriod', 'effectiveTiming'];
  const known = [...effective, 'issued'].map((name) => timeOf(resource[name])).find((range) => range !== undefined);
  if (!known) return Number.NEGATIVE_INFINITY;
  const isSpan = resource.effectivePeriod !== undefined && Number.isFinite(known.high);
  return isSpan || !Number.isFinite(known.low) ? known.high : known.low;
}

interface Group {
  codes: string[];
  /** The newest, and what came since they were sorted out. */
  newest: Observed[];
  /** At how many they are sorted out again; grows with what has the same time, which stays. */
  trimAt: number;
}

/** Groups of equal codes. Joining two keeps the newest of both, of which the newest of the whole are a part. */
class Groups {
  readonly #max: number;
  readonly #byCode = new Map<string, Group>();

  constructor(max: number) {
    this.#max = max;
  }

  add(observed: Observed): void {
    const joined = new Set(observed.codes.map((code) => this.#byCode.get(code)).filter((group) => group !== undefined));
    const [largest, ...others] = [...joined].sort((a, b) => b.codes.length - a.codes.length);
    const group = largest ?? { codes: [], newest: [], trimAt: 2 * this.#max + 16 };
    for (const other of others) {
      group.newest.push(...other.newest);
      this.#enter(group, other.codes);
    }
    this.#enter(
      group,
      observed.codes.filter((code) => this.#byCode.get(code) !== group),
    );
    group.newest.push(observed);
    if (group.newest.length > group.trimAt) this.#trim(group);
  }

  /** The newest of every group. */
  latest(): Observed[] {
    const groups = new Set(this.#byCode.values());
    for (const group of groups) this.#trim(group);
    return [...groups].flatMap(({ newest }) => newest);
  }

  #enter(group: Group, codes: string[]): void {
    for (const code of codes) {
      this.#byCode.set(code, group);
      group.codes.push(code);
    }
  }

  #trim(group: Group): void {
    group.newest.sort((a, b) => b.time - a.time);
    const last = group.newest[this.#max - 1];
    if (!last) return;
    let end = this.#max;
    while (group.newest[end]?.time === last.time) end++;
    group.newest.length = end;
    group.trimAt = 2 * end + 16;
  }
}

function tooCostly(text: string): RecordError {
  return new RecordError(413, 'too-costly', text);
}
