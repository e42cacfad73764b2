/**
 * `$everything` (https://hl7.org/fhir/R4/patient-operation-everything.html,
 * https://hl7.org/fhir/R4/encounter-operation-everything.html), by GET and by POST.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type EverythingRequest, type Issue, RecordError } from '../record/index.ts';
import { bundle, entry, patientsOf } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, pathOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { shown, warningEntry } from './fhir-search-bundle.ts';
import { bundleBytes, sendBytes } from './fhir-send.ts';
import { type OperationParameters, operationParameters, type ParameterKind } from './operation-parameters.ts';
import { Turns } from './turns.ts';

const paging: Record<string, ParameterKind> = { _since: 'one', _type: 'many', _count: 'one', _cursor: 'one' };
/** Care dates are a Patient's only. */
const withDates: Record<string, ParameterKind> = { ...paging, start: 'one', end: 'one' };

/** R4 asks for one Bundle where nothing else is asked for; larger records come in pages, so that memory stays bounded. */
const defaultCount = 1_000;
const maximumCount = 5_000;

/**
 * Two answers are put together at a time: more make nothing quicker, and texts that are soon done with are collected
 * soon. Sending them takes no turn.
 */
const atOnce = new Turns(2);

export function fhirEverythingRoutes(app: FastifyInstance, parts: FhirParts): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const who = await parts.authenticator.caller(request, 'everything');
    const [address] = pathOf(request).split('?') as [string];
    const isEncounter = address.startsWith('/Encounter');
    const { id } = request.params as Partial<Params>;
    const parameters = operationParameters(parts, request, isEncounter ? paging : withDates);
    const asked = everythingRequest(parameters);
    const form = answerForm(request, parameters.query());
    const { patients, bytes } = await atOnce.take(1, async () => {
      const { matches, included, left, next } = isEncounter
        ? await parts.record.encounterEverything(who, id!, asked)
        : await parts.record.everything(who, id, asked);
      const patients = id === undefined || isEncounter ? patientsOf([...matches, ...included]) : [id];
      const base = baseUrl(request);
      const query = parameters.query();
      const links = [['self', `${base}${address}${query.size > 0 ? `?${query}` : ''}`]];
      if (next !== undefined) {
        query.set('_cursor', next);
        links.push(['next', `${base}${address}?${query}`]);
      }
      const entries = [
        ...matches.map((stored) => entry(base, shown(stored, form.subset), 'match')),
        ...included.map((stored) => entry(base, shown(stored, form.subset), 'include')),
        ...(left > 0 ? [warningEntry([noRoom(left)])] : []),
      ];
      return { patients, bytes: bundleBytes(bundle('searchset', links, entries, undefined), form) };
    });
    await recordAccess(parts, who, 'everything', pathOf(request), 200, patients);
    return sendBytes(reply, bytes, form);
  };
  for (const address of [
    '/fhir/Patient/:id/$everything',
    '/fhir/Patient/$everything',
    '/fhir/Encounter/:id/$everything',
  ])
    app.route({ method: ['GET', 'POST'], url: address, handler: answer });
}

function noRoom(left: number): Issue {
  const text = `Of the resources that these name, ${left} found no room in this page; ask for fewer by _count, or read them by their addresses.`;
  return { severity: 'warning', code: 'too-costly', diagnostics: text };
}

function everythingRequest(parameters: OperationParameters): EverythingRequest {
  const since = parameters.time('_since');
  const [start, end] = [parameters.time('start'), parameters.time('end')];
  const care = { low: start?.low ?? Number.NEGATIVE_INFINITY, high: end?.high ?? Number.POSITIVE_INFINITY };
  if (care.low >= care.high) throw new RecordError(400, 'invalid', 'The parameter start lies after end.', 'start');
  return {
    count: parameters.integer('_count', { least: 1, most: maximumCount }) ?? defaultCount,
    cursor: parameters.text('_cursor'),
    types: parameters.list('_type'),
    since: since && new Date(since.low),
    care: start || end ? care : undefined,
  };
}
