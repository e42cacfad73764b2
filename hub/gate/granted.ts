/**
 * What a client's access token opens, request by request (SMART App Launch 2.2, "Scopes for requesting FHIR Resources").
 * Whatever is not listed here, and whatever the token's scopes do not plainly cover, is refused. What scopes
 * leave out, by type or by search parameters, is left out inside the query, as all is that the access decision hides.
 */
import type { FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import { type Access, confinedTo, ofTypes, type Scope } from '../trust/index.ts';
import { documentOf } from './ccda-documents.ts';
import { mediaTypeOf } from './fhir-format.ts';
import { prefersAsync } from './fhir-jobs.ts';
import { foundBy, type Keyed, opensRows } from './narrow-scopes.ts';
import { isOriginal } from './original-documents.ts';

type Interaction = 'create' | 'read' | 'update' | 'delete' | 'search';

/** An interaction on resources of a type, `*` for all. */
interface Need {
  type: string;
  interaction: Interaction;
}

/** What needs which scopes, by method and address as it is registered. */
const routes: { [address: string]: (request: FastifyRequest) => Need[] } = {
  'GET /fhir/:type/:id': (request) => [read(request)],
  'GET /fhir/:type/:id/_history': (request) => [read(request)],
  'GET /fhir/:type/:id/_history/:version': (request) => [read(request)],
  'GET /fhir/Binary/:id': (request) => [
    { type: 'Binary', interaction: 'read' },
    // A document of the record tells of everything in it.
    ...(isWhole((request.params as { id: string }).id) ? all(['*']) : []),
  ],
  'GET /fhir/Binary/:id/_history/:version': () => [{ type: 'Binary', interaction: 'read' }],
  'GET /fhir/:type/_history': (request) => [{ type: typeOf(request), interaction: 'search' }],
  'GET /fhir/:type': (request) => search([typeOf(request)]),
  'POST /fhir/:type/_search': (request) => search([typeOf(request)]),
  'GET /fhir': (request) => search(namedTypes(request)),
  'POST /fhir/_search': (request) => search(namedTypes(request)),
  'GET /fhir/:type/:id/:target': (request) => search([targetOf(request)]),
  'POST /fhir/:type/:id/:target/_search': (request) => search([targetOf(request)]),
  'GET /fhir/DocumentReference/$docref': () => all(['DocumentReference', 'Encounter', 'Patient']),
  'GET /fhir/Patient/:id/$everything': (request) => all(namedTypes(request)),
  // A summary says of each kind that there is nothing where nothing is found.
  'GET /fhir/Patient/:id/$summary': () => all(['*']),
  'POST /fhir/Patient/:id/$summary': () => all(['*']),
  'GET /fhir/Patient/$summary': () => all(['*']),
  'POST /fhir/Patient/$summary': () => all(['*']),
  'POST /fhir/Patient/$match': () => all(['Patient']),
  'POST /fhir/DocumentReference/$generate-metadata': () =>
    ['Binary', 'DocumentReference', 'List'].map((type): Need => ({ type, interaction: 'create' })),
  'POST /network/attestations': () => all(['Patient']),
  'POST /network/matches': () => all(['Patient']),
  'GET /fhir/Patient/$ihe-pix': () => all(['Patient']),
  'POST /fhir/Patient/$ihe-pix': () => all(['Patient']),
  'POST /fhir/:type': (request) => [
    { type: typeOf(request), interaction: 'create' },
    ...(request.headers['if-none-exist'] === undefined ? [] : search([typeOf(request)])),
  ],
  'POST /fhir/Binary': () => [{ type: 'Binary', interaction: 'create' }],
  'PUT /fhir/:type/:id': (request) => [{ type: typeOf(request), interaction: 'update' }],
  'PUT /fhir/Binary/:id': () => [{ type: 'Binary', interaction: 'update' }],
  'PATCH /fhir/:type/:id': (request) => [{ type: typeOf(request), interaction: 'update' }],
  'DELETE /fhir/:type/:id': (request) => [{ type: typeOf(request), interaction: 'delete' }],
  // What an export may hold, and what of it is told, is decided with its parameters (`exportAccess`, `checkCovers`).
  'GET /fhir/$export': () => [],
  'POST /fhir/$export': () => [],
  'GET /fhir/Patient/$export': () => [],
  'POST /fhir/Patient/$export': () => [],
  'GET /fhir/Group/:id/$export': () => [],
  'POST /fhir/Group/:id/$export': () => [],
  'GET /fhir/_bulk/:job': () => [],
  'DELETE /fhir/_bulk/:job': () => [],
  'GET /fhir/_bulk/:job/:file': () => [],
};

/** What of the record a grant goes by. */
export interface GrantFacts {
  /** The homes of the person of a Patient. */
  homesOf(patient: string): Promise<number[]>;
  /** Hashes as the rows have them. */
  keyed: Keyed;
}

/**
 * The access of a client for one request: that of the one it acts for, where its scopes cover the request; within the
 * homes of the patient in context where only `patient/` scopes do.
 * @param facts what of the record it goes by
 * @throws RecordError 403 where they do not
 */
export async function grantedAccess<A extends Access>(
  access: A,
  request: FastifyRequest,
  facts: GrantFacts,
): Promise<A> {
  if (!access.grant) return access;
  const { scopes } = access.grant;
  const wide = scopes.filter(({ context }) => context !== 'patient');
  if (isBundle(request)) return wide.length > 0 ? readable(access, facts, wide) : ofPatient(access, scopes, facts);
  const needs = needsOf(request);
  if (wide.length > 0 && needs.every((need) => isCovered(wide, need)))
    return readable(access, facts, wide, made(needs));
  const uncovered = needs.find((need) => !isCovered(scopes, need));
  if (uncovered || needs.length === 0) throw refusal(uncovered);
  return ofPatient(access, scopes, facts, made(needs));
}

/** What a grant lets read, outside of any request; undefined where it is of a patient who is not known. */
export async function grantedLater<A extends Access>(access: A, facts: GrantFacts): Promise<A | undefined> {
  if (!access.grant) return access;
  const { scopes } = access.grant;
  const wide = scopes.filter(({ context }) => context !== 'patient');
  if (wide.length > 0) return readable(access, facts, wide);
  try {
    return await ofPatient(access, scopes, facts);
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}

/** The types of what a request makes: who makes a resource may see that one, with the letter c alone. */
function made(needs: readonly Need[]): string[] {
  return needs.filter(({ interaction }) => interaction === 'create').map(({ type }) => type);
}

/** What an entry of a Bundle is judged by: its method, address and condition. */
export interface AskedEntry {
  method: string;
  url: string;
  ifNoneExist?: string | undefined;
}

/**
 * Why a client may not do what an entry of a Bundle asks for (SMART App Launch 2.2, "Batches and Transactions"). Those
 * that are no plain interaction are judged by the address that answers them.
 */
export function refusedEntry({ grant }: Access, entry: AskedEntry): RecordError | undefined {
  if (!grant) return undefined;
  const wide = grant.scopes.filter(({ context }) => context !== 'patient');
  const uncovered = needsOfEntry(entry).find((need) => !isCovered(wide.length > 0 ? wide : grant.scopes, need));
  return uncovered && refusal(uncovered);
}

function needsOfEntry({ method, url, ifNoneExist }: AskedEntry): Need[] {
  const [path, query] = url.split('?') as [string, string | undefined];
  const [type, id, ...rest] = path.split('/') as [string, ...string[]];
  const isPlain = rest.length === 0 && /^[A-Z]/.test(type) && !/^[$_]/.test(id ?? '');
  if (!isPlain) return [];
  if (method === 'GET' || method === 'HEAD') return [{ type, interaction: id === undefined ? 'search' : 'read' }];
  const condition = method === 'POST' ? ifNoneExist : query;
  const interaction = method === 'POST' ? 'create' : method === 'DELETE' ? 'delete' : 'update';
  return [{ type, interaction }, ...(condition === undefined ? [] : search([type]))];
}

function isWhole(id: string): boolean {
  return documentOf(id) !== undefined || isOriginal(id);
}

function isBundle(request: FastifyRequest): boolean {
  return request.method === 'POST' && request.routeOptions.url === '/fhir' && !prefersAsync(request);
}

/** The access to one patient’s record. @throws RecordError 403 where none is in context */
async function ofPatient<A extends Access>(
  access: A,
  scopes: readonly Scope[],
  facts: GrantFacts,
  types: readonly string[] = [],
): Promise<A> {
  const { patient } = access.grant!;
  const homes = patient === undefined ? [] : await facts.homesOf(patient);
  if (homes.length === 0) throw new RecordError(403, 'forbidden', 'The token has no patient in context.');
  const own = access.homes === 'all' ? homes : homes.filter((home) => (access.homes as number[]).includes(home));
  return confinedTo(readable(access, facts, scopes, types), own);
}

/** The access to what scopes let read: what else a search touches is not found by it, nor included. */
function readable<A extends Access>(
  access: A,
  { keyed }: GrantFacts,
  scopes: readonly Scope[],
  also: readonly string[] = [],
): A {
  const whole = scopes.filter(({ read, search, query }) => (read || search) && query.length === 0);
  const types = [...whole.map(({ type }) => type), ...also];
  if (types.includes('*')) return access;
  return ofTypes(
    access,
    types,
    scopes.flatMap((scope) => foundBy(scope, keyed) ?? []),
  );
}

/**
 * The access of an export: to all types that it names, or to those that the token's scopes open whole. Scopes with
 * parameters open no export; that of a Group reads the Group.
 * @throws RecordError 403 where the scopes do not cover what is named, or nothing
 */
export function exportAccess<A extends Access>(access: A, named: readonly string[], isOfGroup: boolean): A {
  if (!access.grant) return access;
  const scopes = wholeScopes(access.grant.scopes);
  const covers = (need: Need) => isCovered(scopes, need);
  const group: Need[] = isOfGroup ? [{ type: 'Group', interaction: 'read' }] : [];
  const uncovered = [...all([...named]), ...group].find((need) => !covers(need));
  if (uncovered) throw refusal(uncovered);
  if (named.length > 0 || all(['*']).every(covers)) return access;
  const open = [...new Set(scopes.map(({ type }) => type))].filter((type) => all([type]).every(covers));
  if (open.length === 0) throw refusal({ type: '*', interaction: 'read' });
  return ofTypes(access, open);
}

/** @throws RecordError 403 where a client's scopes do not cover reading all that an export holds */
export function checkCovers({ grant }: Access, types: readonly string[]): void {
  const scopes = grant && wholeScopes(grant.scopes);
  for (const type of types) {
    const need: Need = { type, interaction: 'read' };
    if (scopes && !isCovered(scopes, need)) throw refusal(need);
  }
}

function wholeScopes(scopes: readonly Scope[]): Scope[] {
  return scopes.filter(({ context, query }) => context !== 'patient' && query.length === 0);
}

function needsOf(request: FastifyRequest): Need[] {
  const { url = '' } = request.routeOptions;
  const needs = routes[`${request.method === 'HEAD' ? 'GET' : request.method} ${url}`];
  if (!needs) throw new RecordError(403, 'forbidden', 'No scope of an app opens this address.');
  if (prefersAsync(request) && !url.endsWith('$export')) {
    throw new RecordError(403, 'forbidden', 'A token of an app is good for requests that are answered at once.');
  }
  return needs(request);
}

/** Whether scopes open an interaction; those with search parameters open only reading, which then goes by them. */
function isCovered(scopes: readonly Scope[], { type, interaction }: Need): boolean {
  return scopes.some(
    (scope) =>
      (scope.type === '*' || scope.type === type) &&
      scope[interaction] &&
      (scope.query.length === 0 || (isReading(interaction) && opensRows(scope))),
  );
}

function isReading(interaction: Interaction): boolean {
  return interaction === 'read' || interaction === 'search';
}

function refusal(need: Need | undefined): RecordError {
  const text = need
    ? `The token’s scopes do not cover ${need.interaction} of ${need.type === '*' ? 'all types' : need.type}.`
    : 'The token’s scopes do not cover this.';
  return new RecordError(403, 'forbidden', text).with('www-authenticate', 'Bearer error="insufficient_scope"');
}

function read(request: FastifyRequest): Need {
  return { type: typeOf(request), interaction: 'read' };
}

/** What a search needs. What it looks at or includes of other types it finds only where scopes open these too. */
function search(types: string[]): Need[] {
  return types.map((type): Need => ({ type, interaction: 'search' }));
}

function all(types: string[]): Need[] {
  return types.flatMap((type): Need[] => [
    { type, interaction: 'read' },
    { type, interaction: 'search' },
  ]);
}

function namedTypes(request: FastifyRequest): string[] {
  const named = parametersOf(request)
    .getAll('_type')
    .flatMap((list) => list.split(','));
  const types = named.map((type) => type.trim()).filter((type) => type !== '');
  const isPlain = [...parametersOf(request).keys()].every((name) => !name.startsWith('_typeFilter'));
  return types.length === 0 || !isPlain ? ['*'] : types;
}

function parametersOf(request: FastifyRequest): URLSearchParams {
  const query = request.url.split('?')[1] ?? '';
  const { body, headers } = request;
  const isForm = mediaTypeOf(headers['content-type'] ?? '') === 'application/x-www-form-urlencoded';
  return new URLSearchParams(`${query}&${isForm && Buffer.isBuffer(body) ? body.toString() : ''}`);
}

function typeOf(request: FastifyRequest): string {
  return (request.params as { type: string }).type;
}

function targetOf(request: FastifyRequest): string {
  return (request.params as { target: string }).target;
}
