/**
 * `$graphql` on the system and on a resource (https://hl7.org/fhir/R4/graphql.html#invoking), by GET and by POST. The
 * answer is GraphQL's own JSON; what is wrong is told as GraphQL errors.
 */
import { isFhirError, parseExact } from '@causeway/fhir';
import { type AnswerError, executeGraphql, GraphqlError, type GraphqlRequest } from '@causeway/graphql';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { StoredResource } from '../record/index.ts';
import { patientsOf } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, pathOf, queryOf, recordAccess } from './fhir-exchange.ts';
import { mediaTypeOf } from './fhir-format.ts';
import { graphqlChanges, graphqlErrorOf, graphqlSource } from './fhir-graphql-source.ts';

const bodyBytes = 256 * 1024;
const longestMs = 10_000;
/** Resources of which the record of the access names the patients. */
const recordedResources = 1_000;

export function fhirGraphqlRoutes(app: FastifyInstance, parts: FhirParts): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const who = await parts.authenticator.caller(request, 'graphql');
    const { type, id } = request.params as Partial<Params>;
    const given: StoredResource[] = [];
    const path = pathOf(request).split('?')[0]!;
    const reading = graphqlSource(parts.record, who, baseUrl(request), (stored) => {
      if (given.length < recordedResources) given.push(stored);
    });
    const source =
      request.method === 'POST' ? { ...reading, change: graphqlChanges(parts.record, who, path) } : reading;
    let query = '';
    const { status, ...body } = await errorsAsAnswer(async () => {
      const asked = graphqlRequest(request);
      query = asked.query;
      const start = type === undefined || id === undefined ? undefined : await source.read(type, id);
      if (type !== undefined && !start) {
        throw new GraphqlError(`There is no ${type} of this id.`, undefined, 'not-found', 404);
      }
      return withinTime((signal) => executeGraphql(asked, source, start, { signal }));
    });
    const what = `${path} ${shownQuery(query)}`;
    await recordAccess(parts, who, 'graphql', what, status, patientsOf(given));
    return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
  };
  for (const url of ['/fhir/$graphql', '/fhir/:type/:id/$graphql']) {
    app.route({ method: ['GET', 'POST'], url, bodyLimit: bodyBytes, handler: answer });
  }
}

/** A query for the record of the access: what is searched for belongs there, what is written does not. */
function shownQuery(query: string): string {
  const shown = /\bmutation\b/.test(query) ? query.replace(/"(?:[^"\\]|\\.)*"/gs, '"…"') : query;
  return shown.replace(/\s+/g, ' ');
}

interface Answer {
  status: number;
  data: object | null;
  errors?: AnswerError[];
}

async function errorsAsAnswer(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (fault) {
    const error = graphqlErrorOf(fault);
    if (error instanceof GraphqlError) return { status: error.status, data: null, errors: [error.toAnswer()] };
    throw error;
  }
}

async function withinTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const text = `The query took longer than ${longestMs / 1_000} seconds; ask for less at once.`;
  const timer = setTimeout(() => controller.abort(new GraphqlError(text, undefined, 'timeout', 503)), longestMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What is asked for: parameters of the address, with the query or all of it in the body of a POST. */
function graphqlRequest(request: FastifyRequest): GraphqlRequest {
  const body = (request.body as Buffer | undefined)?.toString('utf8') ?? '';
  const posted = request.method === 'POST' && body !== '' ? postedParameters(request, body) : {};
  const parameters: { [name: string]: unknown } = { ...Object.fromEntries(queryOf(request)), ...posted };
  const { query, variables, operationName, _format, _pretty, ...others } = parameters;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw wrong(`${other.slice(0, 100)} is no parameter of $graphql; there are query, variables, operationName.`);
  }
  if (typeof query !== 'string' || query.trim() === '') throw wrong('The parameter query is missing, or is no text.');
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw wrong('The parameter operationName has to be a text.');
  }
  return { query, variables: variablesOf(variables), operationName: operationName || undefined };
}

function postedParameters(request: FastifyRequest, body: string): { [name: string]: unknown } {
  const mediaType = mediaTypeOf(request.headers['content-type'] ?? '');
  if (mediaType === 'application/graphql') return { query: body };
  if (mediaType !== 'application/json' && mediaType !== 'application/fhir+json') {
    const text = 'Send the query as application/graphql, or as application/json: {"query": …, "variables": …}.';
    throw new GraphqlError(text, undefined, 'not-supported', 415);
  }
  const value = objectIn(body, 'The body');
  if (value.resourceType !== 'Parameters') return value;
  const list = Array.isArray(value.parameter) ? value.parameter : [];
  return Object.fromEntries(list.map((one) => parameterIn(one)));
}

function parameterIn(one: unknown): [string, unknown] {
  const { name, valueString } = (one ?? {}) as { name?: unknown; valueString?: unknown };
  return [String(name), valueString];
}

/** Variables as an object, or as the text of one, which is what an address can hold. */
function variablesOf(variables: unknown): { [name: string]: unknown } | undefined {
  if (variables === undefined || variables === null || variables === '') return undefined;
  if (typeof variables === 'string') return objectIn(variables, 'The parameter variables');
  if (typeof variables === 'object' && !Array.isArray(variables)) return variables as { [name: string]: unknown };
  throw wrong('The parameter variables has to be an object.');
}

/** Numbers keep their digits, for a resource that is to be stored. */
function objectIn(text: string, what: string): { [name: string]: unknown } {
  const read = parseExact(text);
  if (isFhirError(read)) throw wrong(`${what} is no JSON: line ${read.line}, column ${read.column}: ${read.error}.`);
  const { value } = read;
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value))
    return { ...value };
  throw wrong(`${what} has to be a JSON object.`);
}

function wrong(text: string): GraphqlError {
  return new GraphqlError(text);
}
