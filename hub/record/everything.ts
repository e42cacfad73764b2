/**
 * `$everything` of a Patient, of an Encounter and of all Patients (https://hl7.org/fhir/R4/patient-operation-everything.html,
 * https://hl7.org/fhir/R4/encounter-operation-everything.html): the resources of the compartment over all sources, and
 * those that explain them. Pages are stateless, and texts are joined as they are stored: none is parsed, unless care
 * dates are asked for.
 */
import { type DateRange, isInPatientCompartment, isResourceType, resourceTypes, typeCode } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import type { Access } from '../trust/index.ts';
import { careTime } from './care-time.ts';
import { RecordError } from './errors.ts';
import {
  leadingRows,
  type Place,
  type RowFilter,
  type RowPage,
  rowsAfter,
  type Scope,
  wholeRows,
} from './everything-rows.ts';
import type { Reader, ShownResource, ShownRow } from './read.ts';
import type { PresentPersons } from './search/index.ts';

export interface EverythingRequest {
  /** At most so many resources of the compartment. */
  count: number;
  /** The cursor of the page before. */
  cursor: string | undefined;
  types: string[] | undefined;
  /** Only versions stored at or after this time. */
  since: Date | undefined;
  /** Only care that overlaps this range; resources without a time of care are given out all the same. */
  care: DateRange | undefined;
}

export interface EverythingPage {
  /** Resources of the compartment. */
  matches: ShownResource[];
  /** Resources that those name, each once. */
  included: ShownResource[];
  /** How many of those did not find room; they can be read by themselves. */
  left: number;
  /** The cursor of the next page. */
  next: string | undefined;
}

/** What an answer is made with. */
export interface EverythingServices {
  database: Database;
  reader: Reader;
  present: PresentPersons;
}

/** Rows looked at for one page: where care dates rule nearly all out, a page may be short, and the next one goes on. */
const rowsPerPage = 5_000;
/** Characters of a page after which no more is opened, and after which no more is included. */
const pageText = 32 * 1024 * 1024;
const wholeText = 48 * 1024 * 1024;
/** So many rows are opened together, as long as they are small; a large one by itself. */
const openedAtOnce = 64;
const openedBytes = 64 * 1024;
const readAtOnce = 16;
/** How far references of included resources are followed: a role names a practitioner, a place its organization. */
const rounds = 3;
const every: RowFilter = { types: undefined, since: undefined };

/**
 * One page: first what leads (source Patients, the Encounter), then the rest in the order in which it became known.
 * @throws RecordError 400 for a cursor or a type that is none
 */
export async function everythingPage(
  services: EverythingServices,
  access: Access,
  scope: Scope,
  request: EverythingRequest,
): Promise<EverythingPage> {
  const unknown = request.types?.find((type) => !isResourceType(type));
  if (unknown !== undefined) {
    throw new RecordError(400, 'value', 'The parameter _type names what is no FHIR R4 resource type.', '_type');
  }
  let place = readCursor(request.cursor);
  const wanted = request.types && new Set(request.types);
  const explains = request.types?.some((type) => !isInPatientCompartment(type)) ?? false;
  const filter: RowFilter = {
    types: request.types && !explains ? request.types.map((type) => typeCode(type)!) : undefined,
    since: request.since,
  };
  const matches: ShownResource[] = [];
  const references = new Set<string>();
  let text = 0;
  const take = async (rows: ShownRow[]) => {
    for (const stored of await openPresented(services, access, rows)) {
      text += stored.text.length;
      if (request.care && !overlaps(stored.text, request.care)) continue;
      collectReferences(stored.text, scope, references);
      if (!wanted || wanted.has(stored.type)) matches.push(stored);
    }
  };
  const next = (limit: number) => rowsAfter(services.database, access, scope, filter, place, limit);
  let asked: Promise<RowPage> | undefined;
  if (!place) {
    // Both are asked for at once; of the rest as many rows are taken as there is room for then.
    asked = next(Math.min(request.count, rowsPerPage));
    const [leading] = await Promise.all([leadingRows(services.database, access, scope, filter), asked]);
    await take(leading);
  }
  let looked = 0;
  let more = true;
  while (more && looked < rowsPerPage && matches.length < request.count && text < pageText) {
    const limit = Math.min(request.count - matches.length, rowsPerPage - looked);
    const page = await (asked ?? next(limit));
    asked = undefined;
    more = page.more || page.rows.length > limit;
    for (const rows of portions(page.rows.slice(0, limit))) {
      if (text >= pageText) {
        more = true;
        break;
      }
      looked += rows.length;
      place = { home: rows.at(-1)!.home, rkey: rows.at(-1)!.rkey };
      await take(await wholeRows(services.database, access, filter, rows));
    }
  }
  const { included, left } = await explanations(services.reader, access, scope, { matches, references, wanted, text });
  if (scope.of === 'encounter' && !request.cursor && (wanted?.has('Patient') ?? true)) {
    const subject: Scope = { of: 'person', homes: [scope.home], rids: [] };
    included.unshift(
      ...(await openPresented(services, access, await leadingRows(services.database, access, subject, every))),
    );
  }
  return { matches, included, left, next: more ? writeCursor(place ?? { home: 0, rkey: 0 }) : undefined };
}

/** Rows in portions that are opened together; one whose text was left out comes by itself. */
function* portions(rows: readonly ShownRow[]): Generator<ShownRow[]> {
  for (let from = 0, to = 0; from < rows.length; from = to) {
    let bytes = 0;
    do bytes += rows[to++]!.body?.length ?? openedBytes;
    while (
      to < rows.length &&
      to - from < openedAtOnce &&
      bytes + (rows[to]!.body?.length ?? openedBytes) <= openedBytes
    );
    yield rows.slice(from, to);
  }
}

/** Opens rows; source Patients that are presented as a person become that person's merged Patient, once. */
async function openPresented(
  { reader, present }: EverythingServices,
  access: Access,
  rows: ShownRow[],
): Promise<ShownResource[]> {
  const patients: ShownResource[] = [];
  const presented: (string | null)[] = [];
  const others: ShownResource[] = [];
  for (const [i, shown] of (await reader.openShown(access, rows)).entries()) {
    if (shown.text === '') continue;
    if (shown.type !== 'Patient') others.push(shown);
    else {
      patients.push(shown);
      presented.push(rows[i]!.presented);
    }
  }
  return patients.length === 0 ? others : [...(await present(access, patients, presented)), ...others];
}

/** How references, and addresses of attachments, stand in a stored text. */
const named = /"(?:reference":"|url":"(?=Binary\/))([A-Z][A-Za-z]{0,39})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/\d+)?"/g;
/** The same without the commonest, which name the patient or an encounter and are no explanations. */
const explaining = new RegExp(named.source.replace('([A-Z]', '(?!Patient/|Encounter/)([A-Z]'), 'g');

/** Collects, as `Type/id`, what a text names that has to be included. */
function collectReferences(text: string, scope: Scope, found: Set<string>): void {
  const pattern = scope.of === 'encounter' ? named : explaining;
  pattern.lastIndex = 0;
  for (let parts = pattern.exec(text); parts; parts = pattern.exec(text)) {
    if (isIncluded(parts[1]!, scope)) found.add(`${parts[1]}/${parts[2]}`);
  }
}

/** Whether resources of a type are included where they are named: those of no patient, and all that an encounter names. */
function isIncluded(type: string, scope: Scope): boolean {
  const own = ofPatients();
  return own.has(type) ? scope.of === 'encounter' && !elsewhere.has(type) : isResourceType(type);
}

let compartmentTypes: ReadonlySet<string> | undefined;
function ofPatients(): ReadonlySet<string> {
  compartmentTypes ??= new Set(resourceTypes().filter(isInPatientCompartment));
  return compartmentTypes;
}

/** The subject comes by its own way; groups and lists tell of others too. */
const elsewhere = new Set(['Patient', 'Group', 'List']);

async function explanations(
  reader: Reader,
  access: Access,
  scope: Scope,
  page: { matches: ShownResource[]; references: Set<string>; wanted: Set<string> | undefined; text: number },
): Promise<{ included: ShownResource[]; left: number }> {
  const { references, wanted } = page;
  const included: ShownResource[] = [];
  const seen = new Set(page.matches.flatMap(({ type, rid }) => (isIncluded(type, scope) ? `${type}/${rid}` : [])));
  let text = page.text;
  let left = 0;
  let fresh = [...references];
  for (let round = 0; round < rounds && fresh.length > 0; round++) {
    const next = new Set<string>();
    for (let i = 0; i < fresh.length; i += readAtOnce) {
      if (text >= wholeText) {
        left += fresh.length - i;
        break;
      }
      const found = await Promise.all(
        fresh.slice(i, i + readAtOnce).map((one) => {
          const [type, id] = one.split('/') as [string, string];
          return reader.read(access, type, id);
        }),
      );
      for (const stored of found) {
        if (!stored || stored.deleted || !belongs(stored, scope) || seen.has(`${stored.type}/${stored.rid}`)) continue;
        seen.add(`${stored.type}/${stored.rid}`);
        text += stored.text.length;
        if (!wanted || wanted.has(stored.type)) included.push(stored);
        if (stored.home < 0) collectReferences(stored.text, { of: 'everybody' }, next);
      }
    }
    fresh = [...next].filter((one) => !references.has(one));
    for (const one of fresh) references.add(one);
  }
  return { included, left };
}

/** What is no other patient's. */
function belongs(stored: ShownResource, scope: Scope): boolean {
  return stored.home < 0 || (scope.of === 'encounter' && stored.home === scope.home);
}

function overlaps(text: string, care: DateRange): boolean {
  const time = careTime(JSON.parse(text));
  return !time || (time.low < care.high && time.high > care.low);
}

function writeCursor(place: Place): string {
  return Buffer.from(`${place.home}.${place.rkey}`).toString('base64url');
}

function readCursor(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  const parts = /^(\d{1,15})\.(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (parts) return { home: Number(parts[1]), rkey: Number(parts[2]) };
  throw new RecordError(400, 'invalid', 'The parameter _cursor is not one that this server gave.', '_cursor');
}
