/** FHIR GraphQL (https://hl7.org/fhir/R4/graphql.html): a request in, data or errors out. */
import { Collector } from './collect.ts';
import { parseRequest } from './document.ts';
import { type AnswerError, GraphqlError } from './errors.ts';
import { DEFAULT_LIMITS, type GraphqlLimits } from './limits.ts';
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

/** `data`, or at least one error: FHIR has no answers in part. `status` is the HTTP status that goes with it. */
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
 * Carries a query out.
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
    if (operation.operation !== 'query') {
      const text = `This server takes no ${operation.operation} by GraphQL; change resources by FHIR's REST interface.`;
      throw new GraphqlError(text, undefined, 'not-supported');
    }
    const variables = readVariables(operation, request.variables ?? {});
    const group = [planOf(operation, fragments, variables, limits)];
    const collector = new Collector();
    collector.fieldsFor(group, start?.resourceType ?? ROOT);
    const data = await new Run(collector, source, limits, options.signal).answer(group, start);
    return { status: 200, data };
  } catch (error) {
    if (error instanceof GraphqlError) return { status: error.status, data: null, errors: [error.toAnswer()] };
    throw error;
  }
}
