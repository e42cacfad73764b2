/**
 * Why would somebody see what the record holds of a person, and why not? Told to the person, to who represents it, to privacy
 * officers and to the custodian; a clinician is told of what it sees itself. Nobody hears of what is hidden from it.
 */
import { type Explanation, inWords, type Layer, type Names, purposesOf, type Role } from '@causeway/access';
import { isResourceType } from '@causeway/fhir';
import type { FastifyInstance } from 'fastify';
import { type Explained, explanationsOf, representedBy } from '../consent/index.ts';
import type { Database } from '../database/index.ts';
import { RecordError, ridOf } from '../record/index.ts';
import {
  type Access,
  type AccessLog,
  accessOf,
  type Bindings,
  type NetworkPolicy,
  type Participants,
} from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface ExplanationParts {
  database: Database;
  record: FhirParts['record'];
  accessLog: AccessLog;
  authenticator: Authenticator;
  bindings: Bindings;
  participants: Participants;
  policy: NetworkPolicy;
}

/** What is asked: what would somebody of this role, of this organisation, for this purpose see. */
interface Asked {
  role: Role;
  organization: string | undefined;
  purpose: string;
  isEmergency: boolean;
}

interface Query {
  organization?: string;
  role?: string;
  purpose?: string;
  emergency?: string;
  resource?: string;
}

const overseers = ['privacy-officer', 'administrator'];
const persons = ['patient', 'proxy'];
/** Roles that can be asked about: those that see records of others. */
const askable: readonly Role[] = ['clinician', 'system', 'steward', 'public-health', 'researcher', 'privacy-officer'];
const own: Access = accessOf({ username: 'explanation', name: 'Explanation', role: 'system', organization: 'hub' });
const mostConsents = 200;
/** The same for everybody, whether anything is hidden or not. */
const notice = 'What is listed may be incomplete: nobody is told of what is kept from them.';

export function explanationRoutes(app: FastifyInstance, parts: ExplanationParts): void {
  const { authenticator, record, accessLog } = parts;

  app.get<{ Params: { id: string }; Querystring: Query }>('/api/persons/:id/access-explanation', async (request) => {
    const who = await authenticator.caller(request, 'explain-access');
    const { id } = request.params;
    const isOversight = overseers.includes(who.role);
    const seenBy = isOversight ? own : who;
    mayAsk(who, request.query);
    await record.read(seenBy, 'Patient', id);
    const homes = (await record.homesOf([id])).get(id) ?? [];
    if (persons.includes(who.role)) await mustDecide(parts, who, homes);
    const asked = isOversight || persons.includes(who.role) ? askedIn(parts, request.query) : themselves(who);
    const resource = resourceIn(request.query.resource);
    const asker = who.role === 'clinician' ? ownAsker(parts, who) : parts.policy.askerOf(userOf(asked, homes));
    const admitted = who.role === 'clinician' && who.homes !== 'all' ? who.homes : undefined;
    const found = await explanationsOf(
      parts.database,
      { homes, seenBy, ...(resource ? { resource } : {}) },
      asker,
      admitted,
    );
    if (resource && found.length === 0) {
      throw new RecordError(404, 'not-found', `There is no ${resource.type} of this id in the record of this person.`);
    }
    const called = await consentsOf(parts, id, found);
    const names = { ...namesOf(parts, asked, who.role === 'clinician', called), refused: asker.refused };
    const what = `Patient/${id}${resource ? ` ${request.query.resource}` : ''}: ${asked.role} ${asked.purpose} ${asked.organization ?? ''}`;
    await accessLog.record(who, {
      action: 'explain-access',
      what: what.slice(0, 500).trim(),
      status: 200,
      patients: [id],
    });
    const answer = { asked, notice };
    if (!resource) return { ...answer, types: byType(found, names) };
    const [{ explanation }] = found as [Explained];
    return { ...answer, resource: request.query.resource, ...shown(explanation, names) };
  });
}

/** @throws RecordError 403 */
function mayAsk(who: Caller, query: Query): void {
  const isPerson = who.client === undefined && who.site === undefined;
  if (!isPerson) throw new RecordError(403, 'forbidden', 'This is explained to people, in the hub’s own pages.');
  if (overseers.includes(who.role) || persons.includes(who.role)) return;
  if (who.role !== 'clinician') throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
  const { role, organization, purpose, emergency, resource } = query;
  if (resource === undefined || (role ?? organization ?? purpose ?? emergency) !== undefined) {
    const text = 'A clinician is told why it sees one resource: give resource, and nothing else.';
    throw new RecordError(403, 'forbidden', text, 'resource');
  }
}

/** What a person decided is told to those alone who may decide. @throws RecordError 403 */
async function mustDecide(parts: ExplanationParts, { who, role }: Caller, homes: readonly number[]): Promise<void> {
  const { decides } = await representedBy(parts, who, role as 'patient' | 'proxy', new Date());
  if (decides.some((one) => one.homes.some((home) => homes.includes(home)))) return;
  throw new RecordError(403, 'forbidden', 'This is told to the person, a parent or a guardian only.');
}

function themselves({ role, organization, purpose, emergency }: Caller): Asked {
  return { role, organization, purpose, isEmergency: emergency !== undefined };
}

/** A clinician as it asks now; of its limits the rules' part is that of one like it. */
function ownAsker({ policy }: ExplanationParts, who: Caller) {
  const { who: username, name, role, organization, purpose } = who;
  const isEmergency = who.emergency !== undefined;
  const like = policy.askerOf({
    ...{ username, name, role, organization, purpose, isEmergency },
    ...(who.homes === 'all' ? {} : { homes: who.homes }),
  });
  return { ...like, limits: who.limits };
}

/** @throws RecordError 400 */
function askedIn({ participants }: ExplanationParts, query: Query): Asked {
  const { organization } = query;
  const role = askable.find((one) => one === (query.role ?? 'clinician'));
  if (!role) throw new RecordError(400, 'value', `role must be one of ${askable.join(', ')}.`, 'role');
  if (organization !== undefined && !participants.all().some(({ key }) => key === organization)) {
    throw new RecordError(400, 'value', 'organization must be the key of a participant.', 'organization');
  }
  const isEmergency = query.emergency === 'true';
  const purpose = isEmergency ? 'ETREAT' : (query.purpose ?? (role === 'system' ? 'TREAT' : purposesOf[role][0]!));
  if (!/^[A-Z]{4,10}$/.test(purpose)) {
    throw new RecordError(400, 'value', 'purpose must be a code of v3-ActReason, as TREAT.', 'purpose');
  }
  return { role, organization, purpose, isEmergency };
}

function userOf({ role, organization, purpose, isEmergency }: Asked, homes: number[]) {
  // Without an organisation a system is the hub's own, which is not what is asked.
  const isApp = role === 'system' && organization === undefined;
  return {
    ...{ username: 'explanation', name: 'Explanation', role, purpose, organization: organization ?? '', homes, isApp },
    ...(organization === undefined ? {} : { participant: organization }),
    ...(isEmergency ? { isEmergency } : {}),
  };
}

function resourceIn(text: string | undefined): { type: string; id: string } | undefined {
  if (text === undefined) return undefined;
  const [type, id, more] = text.split('/');
  if (type && id && more === undefined && isResourceType(type) && /^[A-Za-z0-9\-.]{1,64}$/.test(id))
    return { type, id };
  throw new RecordError(400, 'value', 'resource must be a type and an id, as Observation/4711.', 'resource');
}

/** How the consents that decided are called, by the ids that their provisions have. */
async function consentsOf({ record }: ExplanationParts, id: string, found: readonly Explained[]) {
  const ids = new Set(found.flatMap(({ explanation }) => explanation.layers.flatMap(({ consents }) => consents)));
  const called = new Map<string, string>();
  if (ids.size === 0) return called;
  const query = new URLSearchParams({ patient: id, _sort: '-_lastUpdated' });
  const { matches } = await record.search(own, { ...record.readSearch('Consent', query, false), count: mostConsents });
  for (const { text } of matches) {
    const consent = JSON.parse(text) as Consent;
    if (ids.has(ridOf(consent.id))) called.set(ridOf(consent.id), calledAs(consent));
  }
  return called;
}

interface Consent {
  id: string;
  dateTime?: string;
  policyRule?: { text?: string };
  verification?: { verified?: boolean }[];
}

function calledAs({ dateTime, policyRule, verification }: Consent): string {
  const day = dateTime === undefined ? 'a decision without a date' : `the decision of ${dateTime.slice(0, 10)}`;
  if (policyRule?.text) return `${day}, filed by staff (“${policyRule.text}”)`;
  const isVerified = (verification ?? []).some(({ verified }) => verified);
  return `${day}, ${isVerified ? 'said by the person or who represents it' : 'which nobody verified'}`;
}

const plainPurposes: Record<string, string> = {
  TREAT: 'for treatment',
  ETREAT: 'in an emergency',
  HPAYMT: 'for payment',
  HOPERAT: 'for running the organisation',
  PUBHLTH: 'for public health',
  HRESCH: 'for research',
  HCOMPL: 'for overseeing that rules are kept',
  HMARKT: 'for marketing',
};

const plainRoles: Partial<Record<Role, string>> = {
  clinician: 'Clinicians',
  system: 'Systems',
  steward: 'Data stewards',
  'public-health': 'Public health staff',
  researcher: 'Researchers',
  'privacy-officer': 'Privacy officers',
};

function namesOf(
  { participants }: ExplanationParts,
  { role, organization, purpose }: Asked,
  isOneself: boolean,
  consents: ReadonlyMap<string, string>,
): Names {
  const name = participants.all().find(({ key }) => key === organization)?.name ?? organization;
  const of = name === undefined ? ' of no organisation on the network' : ` of ${name}`;
  return {
    asker: isOneself ? 'You' : `${plainRoles[role] ?? role}${of}`,
    purpose: plainPurposes[purpose] ?? `for ${purpose}`,
    consent: (id) => consents.get(id) ?? 'a decision that cannot be understood, or is just being read anew',
  };
}

function shown({ isVisible, hiddenBy, layers }: Explanation, names: Names): object {
  const said = layers.map((layer) => ({ ...layer, words: inWords(layer, names) }));
  return { isVisible, hiddenBy: hiddenBy ?? null, layers: said.map(({ because, ...layer }) => layer) };
}

/** How many of each type would be seen, and of the others why not. */
function byType(found: readonly Explained[], names: Names): object[] {
  const types = new Map<string, { all: number; visible: number; reasons: Map<string, number> }>();
  for (const { type, count, explanation } of found) {
    const sum = types.get(type) ?? { all: 0, visible: 0, reasons: new Map() };
    types.set(type, sum);
    sum.all += count;
    if (explanation.isVisible) sum.visible += count;
    const reason = reasonOf(explanation, names);
    sum.reasons.set(reason, (sum.reasons.get(reason) ?? 0) + count);
  }
  return [...types].map(([type, { all, visible, reasons }]) => ({
    type,
    all,
    visible,
    reasons: [...reasons].map(([words, count]) => ({ words, count })),
  }));
}

/** The layer that hides it, or, of what is seen, what it is seen by. */
function reasonOf({ hiddenBy, layers }: Explanation, names: Names): string {
  const telling = (layer: Layer) => ['own-record', 'permission-given', 'emergency'].includes(layer.because);
  const layer = layers.find((one) => one.layer === hiddenBy) ?? layers.findLast(telling) ?? layers[0]!;
  return inWords(layer, names);
}
