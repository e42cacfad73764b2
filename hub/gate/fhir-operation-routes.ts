/** The operations `$lastn`, `$graph` and `$validate`, by GET and by POST (https://hl7.org/fhir/R4/operations.html). */
import { isFhirError, scanResource } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  graphOf,
  type Issue,
  largeBytes,
  lastObservations,
  RecordError,
  type ValidationMode,
  validationIssues,
  validationModes,
} from '../record/index.ts';
import { refusedChange } from '../trust/index.ts';
import type { Caller } from './authenticate.ts';
import { bundle, entry, patientsOf } from './fhir-answers.ts';
import { baseUrl, bodyText, type FhirParts, type Params, pathOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { shown, warningEntry } from './fhir-search-bundle.ts';
import { sendBundle, sendOutcome } from './fhir-send.ts';
import { OperationParameters, operationParameters, type ParameterKind } from './operation-parameters.ts';

const either = ['GET', 'POST'];
const maximumOfEach = 1_000;

export function fhirOperationRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator } = parts;

  app.route({
    method: either,
    url: '/fhir/Observation/$lastn',
    handler: async (request, reply) => {
      const who = await authenticator.caller(request, 'lastn');
      const parameters = operationParameters(parts, request, { max: 'one' }, 'many');
      const form = answerForm(request, parameters.query());
      const max = parameters.integer('max', { least: 1, most: maximumOfEach }) ?? 1;
      const found = await lastObservations(record, who, parameters.rest(), max);
      await recordAccess(parts, who, 'lastn', `/Observation/$lastn?${parameters.query()}`, 200, patientsOf(found));
      const base = baseUrl(request);
      const links = [['self', `${base}/Observation/$lastn?${parameters.query()}`]];
      const entries = found.map((stored) => entry(base, shown(stored, form.subset), 'match'));
      return sendBundle(request, reply, bundle('searchset', links, entries, found.length), form);
    },
  });

  app.route<{ Params: Params }>({
    method: either,
    url: '/fhir/:type/:id/$graph',
    handler: async (request, reply) => {
      const who = await authenticator.caller(request, 'graph');
      const parameters = operationParameters(parts, request, { graph: 'one' });
      const form = answerForm(request, parameters.query());
      const definition = parameters.text('graph');
      if (definition === undefined) {
        const text = 'The parameter graph names the GraphDefinition: its URL, or GraphDefinition/ and its id.';
        throw new RecordError(400, 'required', text, 'graph');
      }
      const { start, linked, warnings } = await graphOf(record, who, request.params, definition);
      await recordAccess(parts, who, 'graph', pathOf(request), 200, patientsOf([start, ...linked]));
      const base = baseUrl(request);
      const { type, id } = request.params;
      const links = [['self', `${base}/${type}/${id}/$graph?${parameters.query()}`]];
      const entries = [
        entry(base, shown(start, form.subset), 'match'),
        ...linked.map((stored) => entry(base, shown(stored, form.subset), 'include')),
        ...(warnings.length > 0 ? [warningEntry(warnings)] : []),
      ];
      return sendBundle(request, reply, bundle('searchset', links, entries, undefined), form);
    },
  });

  const validate = async (request: FastifyRequest<{ Params: Params }>) => {
    const who = await authenticator.caller(request, 'validate');
    const { type, id } = request.params as Partial<Params> & { type: string };
    const { text, parameters, unreadable } = validated(request, type);
    const mode = modeOf(parameters, id);
    const stored = id === undefined ? undefined : await current(parts, who, type, id);
    const subject = text ?? (mode === 'delete' ? undefined : stored);
    if (subject === undefined && mode !== 'delete' && !unreadable) {
      const wanted = 'Send the resource as the body, or as the parameter resource of a Parameters resource.';
      throw new RecordError(400, 'required', wanted, 'resource');
    }
    const profile = parameters.text('profile');
    const may = { refused: refusedChange(who, type), exists: stored !== undefined };
    const asked = { type, id, mode, profile, ...may };
    const isLarge = subject !== undefined && subject.length >= largeBytes;
    const issues =
      unreadable ??
      (isLarge ? await parts.largeBodies.validation(who.who, subject, asked) : validationIssues(subject, asked));
    await recordAccess(parts, who, 'validate', pathOf(request), 200, type === 'Patient' && id ? [id] : []);
    return issues;
  };
  app.post<{ Params: Params }>('/fhir/:type/$validate', async (request, reply) =>
    sendOutcome(request, reply, 200, await validate(request)),
  );
  app.route<{ Params: Params }>({
    method: either,
    url: '/fhir/:type/:id/$validate',
    handler: async (request, reply) => sendOutcome(request, reply, 200, await validate(request)),
  });
}

const ofValidation: Record<string, ParameterKind> = { mode: 'one', profile: 'one' };

interface Validated {
  text: string | undefined;
  parameters: OperationParameters;
  /** Why the body is no resource in any form. */
  unreadable?: readonly Issue[];
}

/** The text to be validated and the parameters beside it: the body is the resource itself, or Parameters around it. */
function validated(request: FastifyRequest, type: string): Validated {
  const parameters = new OperationParameters({ ...ofValidation, resource: 'object' });
  for (const [name, value] of new URLSearchParams(request.url.split('?')[1] ?? '')) parameters.add(name, value);
  const body = request.body as Buffer | undefined;
  if (!body || body.length === 0) return { text: undefined, parameters };
  const text = readable(request);
  if (typeof text !== 'string') return { text: undefined, parameters, unreadable: text };
  const scanned = scanResource(text);
  if (isFhirError(scanned) || scanned.resourceType !== 'Parameters' || type === 'Parameters')
    return { text, parameters };
  const { parameter = [] } = scanned.value as { parameter?: unknown };
  for (const one of Array.isArray(parameter) ? parameter : []) parameters.addFrom(one);
  const resource = parameters.object('resource');
  return { text: resource && JSON.stringify(resource), parameters };
}

function readable(request: FastifyRequest): string | readonly Issue[] {
  try {
    return bodyText(request);
  } catch (error) {
    if (error instanceof RecordError && error.status === 400) return error.issues;
    throw error;
  }
}

function modeOf(parameters: OperationParameters, id: string | undefined): ValidationMode | undefined {
  const text = parameters.text('mode');
  const mode = validationModes.find((one) => one === text);
  if (text !== undefined && mode === undefined) {
    throw new RecordError(400, 'value', 'The parameter mode is create, update or delete.', 'mode');
  }
  if (id === undefined && (mode === 'update' || mode === 'delete')) {
    throw new RecordError(400, 'value', `The mode ${mode} is for one resource: /[type]/[id]/$validate.`, 'mode');
  }
  return mode;
}

async function current(parts: FhirParts, who: Caller, type: string, id: string): Promise<string | undefined> {
  try {
    return (await parts.record.read(who, type, id)).text;
  } catch (error) {
    if (error instanceof RecordError && (error.status === 410 || error.issues[0]?.code === 'not-found'))
      return undefined;
    throw error;
  }
}
