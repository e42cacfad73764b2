/**
 * Consents in plain terms: a patient, or a parent or guardian, says who may see what; staff file and revoke what a person
 * said, with evidence. Each choice is a FHIR Consent in the record and holds from the commit on. A preview counts what an
 * organisation would be given.
 */
import {
  type Choice,
  choiceFaults,
  choiceOf,
  consentOf,
  consentsThatCount,
  hiddenBy,
  readConsent,
} from '@causeway/access';
import { typeCode, typeName } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { confirmedHomes, explanationsOf, representedBy } from '../consent/index.ts';
import type { Database } from '../database/index.ts';
import { newId, RecordError } from '../record/index.ts';
import {
  type Access,
  type AccessLog,
  type AccessUser,
  accessCondition,
  accessOf,
  type Bindings,
  type NetworkPolicy,
  type Participants,
} from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface ConsentParts {
  database: Database;
  record: FhirParts['record'];
  accessLog: AccessLog;
  authenticator: Authenticator;
  bindings: Bindings;
  participants: Participants;
  policy: NetworkPolicy;
}

type Id = { Params: { id: string } };
type Own = { Params: { id: string; consent: string } };

const staff = ['steward', 'privacy-officer', 'administrator'];
const mostConsents = 200;
/** Reads and writes what a person decides about itself, whatever of it others may see. */
const own: Access = accessOf({ username: 'consent', name: 'Consent', role: 'system', organization: 'hub' });

export function consentRoutes(app: FastifyInstance, parts: ConsentParts): void {
  const { record, accessLog } = parts;

  app.get<Id>('/api/patients/:id/consents', async (request) => {
    const { who, patient, isStaff } = await deciding(parts, request, 'list-consents');
    const query = new URLSearchParams({ patient, _sort: '-_lastUpdated' });
    const found = await record.search(own, { ...record.readSearch('Consent', query, false), count: mostConsents });
    await accessLog.record(who, {
      action: 'list-consents',
      what: `Patient/${patient}`,
      status: 200,
      patients: [patient],
    });
    const organizations = parts.participants.all().map(({ key, name, kind }) => ({ key, name, kind }));
    const consents = found.matches.map(({ text: stored }) => shown(JSON.parse(stored)));
    return { consents, organizations, isStaff, model: parts.policy.lastKnown.model };
  });

  app.post<Id>('/api/patients/:id/consents', async (request, reply) => {
    const { who, patient, isStaff } = await deciding(parts, request, 'file-consent');
    const body = jsonBody(request);
    const choice = choiceIn(parts, body.choice);
    const evidence = isStaff ? text(body, 'evidence', 1_000) : undefined;
    const consent = consentOf({
      patient: `Patient/${patient}`,
      choice,
      at: new Date().toISOString(),
      verifiedWith: `Patient/${patient}`,
      ...(evidence === undefined ? {} : { evidence }),
    });
    const filed = { ...consent, id: newId() };
    const ended = await Promise.all(replacedIn(body).map((id) => endedConsent(parts, patient, id, evidence)));
    await store(parts, who, patient, 'file-consent', [filed, ...ended.flat()]);
    return reply.code(201).send(shown(filed));
  });

  app.delete<Own>('/api/patients/:id/consents/:consent', async (request, reply) => {
    const { who, patient, isStaff } = await deciding(parts, request, 'revoke-consent');
    const evidence = isStaff ? text(jsonBody(request), 'evidence', 1_000) : undefined;
    const ended = await endedConsent(parts, patient, request.params.consent, evidence);
    if (ended.length > 0) await store(parts, who, patient, 'revoke-consent', ended);
    return reply.code(204).send();
  });

  app.get<Id & { Querystring: { organization?: string } }>('/api/patients/:id/consent-preview', async (request) => {
    const { who, patient, isStaff } = await deciding(parts, request, 'preview-consent');
    const organization = participantIn(parts, request.query.organization);
    const homes = (await record.homesOf([patient])).get(patient) ?? [];
    const asker = parts.policy.askerOf(clinicianOf(organization, homes));
    const found = await explanationsOf(parts.database, { homes, seenBy: isStaff ? own : who }, asker);
    const types = sums(found.map(({ explanation: { isVisible }, ...one }) => ({ ...one, isVisible })));
    const entry = { action: 'preview-consent', what: `${organization}`, status: 200, patients: [patient] };
    await accessLog.record(who, entry);
    return { organization, types };
  });

  app.post<Id>('/api/patients/:id/consent-preview', async (request) => {
    const { who, patient, isStaff } = await deciding(parts, request, 'preview-consent');
    const body = jsonBody(request);
    const choice = choiceIn(parts, body.choice);
    const organization = participantIn(parts, text(body, 'organization', 60));
    const homes = (await record.homesOf([patient])).get(patient) ?? [];
    const access = parts.policy.accessOf(clinicianOf(organization, homes));
    const types = await countsUnder(parts, { patient, homes, seenBy: isStaff ? own : who }, access, choice);
    const entry = { action: 'preview-consent', what: organization, status: 200, patients: [patient] };
    await accessLog.record(who, entry);
    return { organization, types };
  });
}

type Stored = Record<string, unknown> & { id: string; meta?: { versionId?: string } };

/** The ids of those that a decision takes the place of. @throws RecordError 400 */
function replacedIn({ replaces = [] }: { replaces?: unknown }): string[] {
  if (Array.isArray(replaces) && replaces.length <= mostConsents && replaces.every((id) => typeof id === 'string')) {
    return [...new Set(replaces)];
  }
  throw new RecordError(400, 'value', 'replaces must be a list of ids of consents.', 'replaces');
}

/** A person's consent as it is once it is revoked; nothing where it is already. @throws RecordError 404 */
async function endedConsent(
  { record }: ConsentParts,
  patient: string,
  id: string,
  evidence: string | undefined,
): Promise<Stored[]> {
  const stored = await record.read(own, 'Consent', id);
  const homes = (await record.homesOf([patient])).get(patient) ?? [];
  if (!homes.includes(stored.home)) throw new RecordError(404, 'not-found', 'There is no such consent of this person.');
  const consent = JSON.parse(stored.text) as Stored & { status?: string; policyRule?: { text?: string } };
  if (consent.status === 'inactive') return [];
  const ended = { ...consent, status: 'inactive' };
  return [evidence === undefined ? ended : { ...ended, policyRule: { ...consent.policyRule, text: evidence } }];
}

/** Stores consents in one transaction, with its line in the record of accesses. @throws RecordError 412 where one changed meanwhile */
async function store(
  { record }: ConsentParts,
  who: Caller,
  patient: string,
  action: string,
  consents: readonly Stored[],
): Promise<void> {
  const entry = consents.map((resource) => ({
    resource,
    request: {
      method: 'PUT',
      url: `Consent/${resource.id}`,
      ...(resource.meta?.versionId ? { ifMatch: `W/"${resource.meta.versionId}"` } : {}),
    },
  }));
  const status = action === 'file-consent' ? 201 : 204;
  const note = { action, what: `Patient/${patient}`, status, patients: [patient] };
  await record.bundle(own, JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }), {
    base: '',
    audit: () => ({ access: who, entry: note }),
    single: () => Promise.reject(new Error('A transaction of consents reads nothing.')),
    fault: () => {},
    isStoredWanted: false,
  });
}

/** A clinician of an organisation who treats the person of these homes. */
function clinicianOf(organization: string, homes: number[]): AccessUser {
  const asked = { username: 'preview', name: 'Preview', role: 'clinician', organization, homes } as const;
  return { ...asked, participant: organization };
}

/** By type, how many there are and how many of them would be seen. */
function sums(found: readonly { type: string; count: number; isVisible: boolean }[]) {
  const types = new Map<string, { type: string; all: number; visible: number }>();
  for (const { type, count, isVisible } of found) {
    const sum = types.get(type) ?? { type, all: 0, visible: 0 };
    types.set(type, sum);
    sum.all += count;
    if (isVisible) sum.visible += count;
  }
  return [...types.values()];
}

/** What an access would see of homes if a choice alone held, by type; `hub/trust/decision.ts` decides so once it is filed. */
async function countsUnder(
  parts: ConsentParts,
  { patient, homes, seenBy }: { patient: string; homes: number[]; seenBy: Access },
  access: Access,
  choice: Choice,
) {
  const at = new Date().toISOString();
  const person = `Patient/${patient}`;
  const said = consentOf({ patient: person, choice, at, verifiedWith: person });
  const consent = readConsent(said, parts.policy.lastKnown.zone);
  const confirmed = await confirmedHomes(parts.database, patient);
  const values: unknown[] = [homes];
  const mayKnow = accessCondition(seenBy, 'r', (value) => `$${values.push(value)}`);
  const { rows } = await parts.database.query(
    `SELECT r.type, r.home, r.labels, r.first_day::text AS first, r.last_day::text AS last, l.source, count(*)::integer AS count
     FROM resource r LEFT JOIN link l USING (home) WHERE r.home = ANY($1) AND NOT r.deleted
       AND r.type <> ${typeCode('Consent')} AND ${mayKnow} GROUP BY 1, 2, 3, 4, 5, 6`,
    values,
  );
  const found = rows.map(({ type: code, home, labels, first, last, source, count }) => {
    const type = typeName(code)!;
    const held = consentsThatCount([{ id: 'preview', isConfirmed: confirmed.includes(home), consent }]);
    const days = first ? { days: { from: first, to: last } } : {};
    const facts = { type, reference: type, patient: { source }, labels, ...days, codes: new Set<string>() };
    return { type, count, isVisible: hiddenBy(access.limits, facts, held, Date.now()) === undefined };
  });
  return sums(found);
}

/** Who decides for a Patient: the person itself, who represents it by law, or staff on its behalf. @throws RecordError 403, 404 */
async function deciding(
  { authenticator, bindings, database, record }: ConsentParts,
  request: FastifyRequest,
  action: string,
): Promise<{ who: Caller; patient: string; isStaff: boolean }> {
  const who = await authenticator.caller(request, action);
  const { id: patient } = request.params as { id: string };
  if (who.client !== undefined || who.site !== undefined) {
    throw new RecordError(403, 'forbidden', 'Consents are given in the hub’s own pages, not by apps.');
  }
  if (staff.includes(who.role)) {
    await record.read(own, 'Patient', patient);
    return { who, patient, isStaff: true };
  }
  await record.read(who, 'Patient', patient);
  const homes = (await record.homesOf([patient])).get(patient) ?? [];
  if (who.role === 'patient' || who.role === 'proxy') {
    const { decides } = await representedBy({ database, record, bindings }, who.who, who.role, new Date());
    // What a person says is filed with the Patient that its account is bound to, never with one that is linked by guess.
    const bound = decides.find((one) => one.homes.some((home) => homes.includes(home)));
    if (bound) return { who, patient: bound.patient, isStaff: false };
  }
  throw new RecordError(403, 'forbidden', 'Only the person, a parent or a guardian decides about this record.');
}

function choiceIn({ participants }: ConsentParts, given: unknown): Choice {
  const faults = choiceFaults(given);
  if (faults.length > 0) throw new RecordError(400, 'value', faults.join(' '), 'choice');
  const choice = given as Choice;
  const named = [choice, ...(choice.exceptions ?? [])].flatMap(({ organizations }) => organizations ?? []);
  const unknown = named.find((key) => !participants.all().some((one) => one.key === key));
  if (unknown === undefined) return choice;
  throw new RecordError(400, 'value', `There is no organisation ${unknown} on the network.`, 'choice');
}

function participantIn({ participants }: ConsentParts, key: string | undefined): string {
  if (key !== undefined && participants.all().some((one) => one.key === key)) return key;
  throw new RecordError(400, 'value', 'organization must be the key of a participant.', 'organization');
}

function shown(consent: Record<string, unknown>): object {
  const { id, status, dateTime: given, policyRule } = consent;
  const { text: evidence } = (policyRule ?? {}) as { text?: string };
  return { id, status, given, choice: choiceOf(consent) ?? null, ...(evidence ? { evidence } : {}) };
}
