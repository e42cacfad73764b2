/**
 * Search by GET and by POST (FHIR R4 §3.1.0.9): on a type, on the whole system, and in the compartment of a Patient,
 * Encounter, Practitioner, RelatedPerson or Device.
 */
import { compartmentMembers, compartmentParameters, compartmentTypes, isResourceType } from '@causeway/fhir';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Explanation, RecordError } from '../record/index.ts';
import { logReader, searchAuditEvents } from './audit-event-answers.ts';
import { baseUrl, type FhirParts, type Params, queryOf, recordAccess } from './fhir-exchange.ts';
import { answerForm, mediaTypeOf } from './fhir-format.ts';
import { isLenient } from './fhir-prefer.ts';
import { searchBundle, withoutForm } from './fhir-search-bundle.ts';
import { searchTypes } from './fhir-search-types.ts';
import { sendBundle, sendText } from './fhir-send.ts';

/** Parameters of a search by POST. */
const searchBytes = 64 * 1024;

type TargetParams = Params & { target: string };

export function fhirSearchRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator, addresses } = parts;

  const onType = async (request: FastifyRequest, reply: FastifyReply, parameters: URLSearchParams) => {
    const who = await authenticator.caller(request, 'search');
    const { type } = request.params as Params;
    if (type.startsWith('$')) throw addresses.refusal(request.method, request.url);
    const form = answerForm(request, parameters);
    const reader = type === 'AuditEvent' ? await logReader(parts, who, baseUrl(request)) : undefined;
    const answer = reader
      ? await searchAuditEvents(parts, reader, parameters, { isLenient: isLenient(request), form, path: type })
      : await searchBundle(record, who, type, parameters, baseUrl(request), isLenient(request), form);
    await recordAccess(parts, who, 'search', `/${type}?${parameters}`, 200, answer.patients);
    return sendBundle(request, reply, answer.text, form);
  };
  app.get('/fhir/:type', (request, reply) => onType(request, reply, queryOf(request)));
  app.post('/fhir/:type/_search', { bodyLimit: searchBytes }, (request, reply) =>
    onType(request, reply, postedParameters(request)),
  );

  app.get<{ Params: Params }>('/fhir/:type/$explain', async (request, reply) => {
    const who = await authenticator.caller(request, 'explain');
    // A plan counts rows that were looked at and are hidden.
    if (!who.limits.isCustodian) {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not see how a search is carried out.`);
    }
    const { type } = request.params;
    const parameters = queryOf(request);
    const form = answerForm(request, parameters);
    const { kept } = withoutForm(parameters);
    const told = await record.explain(who, record.readSearch(type, kept, isLenient(request)));
    await recordAccess(parts, who, 'explain', `/${type}/$explain?${parameters}`, 200, []);
    return sendText(request, reply, JSON.stringify(explanation(told)), form);
  });

  const onSystem = async (request: FastifyRequest, reply: FastifyReply, parameters: URLSearchParams) => {
    const who = await authenticator.caller(request, 'search');
    const form = answerForm(request, parameters);
    const page = { base: baseUrl(request), path: '', isLenient: isLenient(request), form };
    const answer = await searchTypes(record, who, parameters, page);
    await recordAccess(parts, who, 'search', `/?${parameters}`, 200, answer.patients);
    return sendBundle(request, reply, answer.text, form);
  };
  app.get('/fhir', (request, reply) => onSystem(request, reply, queryOf(request)));
  app.post('/fhir/_search', { bodyLimit: searchBytes }, (request, reply) =>
    onSystem(request, reply, postedParameters(request)),
  );

  const inCompartment = async (request: FastifyRequest, reply: FastifyReply, parameters: URLSearchParams) => {
    const who = await authenticator.caller(request, 'search');
    const { type, id, target } = request.params as TargetParams;
    if (/^[$_]/.test(target) || !compartmentTypes.includes(type)) {
      throw addresses.has('GET', '/fhir/:type/:id/:target') && isResourceType(target) && isResourceType(type)
        ? noCompartment(type)
        : addresses.refusal(request.method, request.url);
    }
    const base = baseUrl(request);
    const form = answerForm(request, parameters);
    const path = `${type}/${id}/${target}`;
    const isAll = target === '*';
    const types = isAll ? compartmentMembers(type) : [target];
    const within = (of: string) => membership(type, id, of);
    const page = { base, path, isLenient: isLenient(request), form, types, within };
    const answer = isAll
      ? await searchTypes(record, who, parameters, page)
      : await searchBundle(record, who, target, parameters, base, page.isLenient, form, {
          path,
          anyOf: within(target),
        });
    await recordAccess(parts, who, 'search', `/${path}?${parameters}`, 200, answer.patients);
    return sendBundle(request, reply, answer.text, form);
  };
  app.get('/fhir/:type/:id/:target', (request, reply) => inCompartment(request, reply, queryOf(request)));
  app.post('/fhir/:type/:id/:target/_search', { bodyLimit: searchBytes }, (request, reply) =>
    inCompartment(request, reply, postedParameters(request)),
  );
}

/** The filters of which one holds for what is in a compartment. @throws RecordError 400 for a type that never is */
function membership(compartment: string, id: string, type: string): [string, string][] {
  const codes = compartmentParameters(compartment, type);
  if (codes.length === 0) {
    const text = isResourceType(type)
      ? `Resources of type ${type} are never in the compartment of a ${compartment}.`
      : 'The address names no FHIR R4 resource type after the compartment.';
    throw new RecordError(isResourceType(type) ? 400 : 404, 'not-supported', text);
  }
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(id)) {
    throw new RecordError(404, 'not-found', `There is no ${compartment} of this id.`);
  }
  return codes.map((code) => [code, code === '_id' ? id : `${compartment}/${id}`]);
}

function noCompartment(type: string): RecordError {
  const text = `There are compartments of ${compartmentTypes.join(', ')}, not of ${type}.`;
  return new RecordError(404, 'not-supported', text);
}

/** The parameters of a search by POST, of its address and its body alike. @throws RecordError 415 */
function postedParameters(request: FastifyRequest): URLSearchParams {
  const body = request.body as Buffer | undefined;
  const header = request.headers['content-type'];
  if (body && body.length > 0 && header !== undefined && mediaTypeOf(header) !== 'application/x-www-form-urlencoded') {
    const text = 'A search by POST has its parameters as application/x-www-form-urlencoded.';
    throw new RecordError(415, 'not-supported', text);
  }
  return new URLSearchParams(`${request.url.split('?')[1] ?? ''}&${body?.toString() ?? ''}`);
}

/** What `$explain` answers: the index that led, what was found, the time, the statement and PostgreSQL's own plan. */
function explanation({ lead, rows, milliseconds, statement, plan }: Explanation): object {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'lead', valueString: lead },
      { name: 'rows', valueInteger: rows },
      { name: 'milliseconds', valueDecimal: milliseconds },
      { name: 'statement', valueString: statement },
      { name: 'plan', valueString: JSON.stringify(plan) },
    ],
  };
}
