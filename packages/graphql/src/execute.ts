/** FHIR GraphQL (https://hl7.org/fhir/R4/graphql.html): a request in, data or errors out. */
import { Collector, type SelectionGroup } from './collect.ts';
import { parseRequest } from './document.ts';
import { type AnswerError, GraphqlError } from './errors.ts';
import { DEFAULT_LIMITS, type GraphqlLimits } from './limits.ts';
import { mutationOf } from './mutation.ts';
import { planOf } from './plan.ts';
import { Run } from './run.ts';
import type { GraphqlSource, Resource } from './source.ts';
import { ROOT } from './types.ts';
import { readVariables } from './variables.ts';

export interface GraphqlRequest {
  query: string;
  variables?: Readonly<Record<string, unknown>>;
  /** Which of several operations to carry out. */
  operationName?: string;
}

/**
 * `data`, or at least one error: FHIR has no answers in part. Both only where a change was made and what it gives back
 * could not be answered. `status` is the HTTP status that goes with it.
 */
export interface GraphqlAnswer {
  status: number;
  data: Record<string, unknown> | null;
  errors?: AnswerError[];
}

export interface GraphqlOptions {
  limits?: Partial<GraphqlLimits>;
  /** Ends the work when it is aborted, with its reason if that is a GraphqlError. */
  signal?: AbortSignal;
}

/**
 * Carries a query out, or a mutation where the source takes changes.
 * @param start the resource that the query is about; without it the query begins with a search or an id
 * @throws what the source throws, other than GraphqlError
 */
export async function executeGraphql(
  request: GraphqlRequest,
  source: GraphqlSource,
  start?: Resource,
  options: GraphqlOptions = {},
): Promise<GraphqlAnswer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  try {
    const { operation, fragments } = parseRequest(request.query, request.operationName, limits);
    const given = request.variables ?? {};
    const variables = readVariables(operation, given);
    const collector = new Collector();
    const answer = (group: SelectionGroup, from: Resource | undefined) =>
      new Run(collector, source, limits, options.signal).answer(group, from);
    if (operation.operation === 'query') {
      const group = [planOf(operation, fragments, variables, limits)];
      collector.fieldsFor(group, start?.resourceType ?? ROOT);
      return { status: 200, data: await answer(group, start) };
    }
    if (operation.operation === 'subscription' || !source.change || start) {
      const text = `There is no ${operation.operation} here: a change is a mutation on the system, sent by POST.`;
      throw new GraphqlError(text, undefined, 'not-supported');
    }
    const { key, change, field, place } = mutationOf(operation, variables, given);
    const group = [planOf(field, fragments, variables, limits)];
    if (change.kind !== 'delete') collector.fieldsFor(group, change.type);
    const changed = await source.change(change);
    if (!changed) return { status: 200, data: Object.fromEntries([[key, null]]) };
    try {
      return { status: 200, data: Object.fromEntries([[key, await answer(group, changed)]]) };
    } catch (error) {
      if (!(error instanceof GraphqlError)) throw error;
      const text = `The change was made; its answer could not be: ${error.message}`;
      const told = new GraphqlError(text, error.location ?? place, error.code);
      return { status: 200, data: Object.fromEntries([[key, null]]), errors: [told.toAnswer()] };
    }
  } catch (error) {
    if (error instanceof GraphqlError) return { status: error.status, data: null, errors: [error.toAnswer()] };
    throw error;
  }
}
