/** What privacy officers need to write rules of redaction: the elements that may be hidden, and how a resource would look. */
import { type RedactionRule, redactionFaults, redactionsOf } from '@causeway/access';
import { hidableElements, isResourceType, resourceTypes } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type FhirRecord, RecordError, redacted } from '../record/index.ts';
import { type AccessLog, roles } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, object, text, wrong } from './body.ts';
import { patientsOf } from './fhir-answers.ts';

export interface RedactionParts {
  authenticator: Authenticator;
  accessLog: AccessLog;
  record: FhirRecord;
}

const deciders = ['privacy-officer', 'administrator'];
const mostRules = 1_000;

export function redactionRoutes(app: FastifyInstance, { authenticator, accessLog, record }: RedactionParts): void {
  const decider = (request: FastifyRequest, action: string) => authenticator.inPerson(request, deciders, action);

  app.get<{ Querystring: { type?: string } }>('/api/redactable-elements', async (request) => {
    await decider(request, 'redactable-elements');
    const { type } = request.query;
    if (type === undefined) return { types: resourceTypes() };
    if (!isResourceType(type)) throw wrong('type', 'a type of resource');
    return { elements: hidableElements(type) };
  });

  // Rules that may not be in force yet, on a resource that the officer may read.
  app.post('/api/redaction-preview', async (request) => {
    const who = await decider(request, 'preview-redaction');
    const body = jsonBody(request);
    const rules = rulesOf(body.redactions);
    const as = object(body.as, 'as');
    const role = roles.find((one) => one === as.role);
    if (!role) throw wrong('as.role', 'a role');
    const purpose = text(as, 'purpose', 20);
    const organization = as.organization === undefined ? undefined : text(as, 'organization', 60);
    const [, type, id] = /^([A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(text(body, 'resource', 100)) ?? [];
    if (type === undefined || !isResourceType(type)) throw wrong('resource', 'one that is stored, as Patient/1');
    const stored = await record.read(who, type, id!);
    if (stored.deleted) throw new RecordError(410, 'deleted', 'The resource was deleted.');
    const redactions = redactionsOf(rules, { role, purpose, organization });
    const shown = JSON.parse(redactions ? redacted({ limits: { ...who.limits, redactions } }, stored) : stored.text);
    const what = `${type}/${id} as ${role} for ${purpose}`;
    await accessLog.record(who, { action: 'preview-redaction', what, status: 200, patients: patientsOf([stored]) });
    return { shown, changed: changedIn(JSON.parse(stored.text), shown) };
  });
}

/** @throws RecordError 400 */
function rulesOf(value: unknown): RedactionRule[] {
  if (!Array.isArray(value) || value.length > mostRules) throw wrong('redactions', `a list of at most ${mostRules}`);
  const faults = value.flatMap((rule, i) => redactionFaults(rule).map((fault) => `redactions[${i}]: ${fault}`));
  if (faults.length > 0) throw new RecordError(400, 'value', faults.join(' '), 'redactions');
  return value;
}

/** Elements of a resource that are not given out, or not whole; what is said of the redaction itself is left aside. */
function changedIn(whole: Record<string, unknown>, shown: Record<string, unknown>): string[] {
  return Object.keys(whole).filter(
    (name) => name !== 'meta' && JSON.stringify(whole[name]) !== JSON.stringify(shown[name]),
  );
}
