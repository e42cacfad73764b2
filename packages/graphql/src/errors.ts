/**
 * What is wrong with a request, as GraphQL tells it: a message, the place in the query, and a FHIR OperationOutcome under
 * `extensions.resource` (https://hl7.org/fhir/R4/graphql.html#errors).
 */
import type { OperationOutcome } from '@medplum/fhirtypes';

/** A place in the query; both count from 1. */
export interface Location {
  line: number;
  column: number;
}

/** One error of an answer. */
export interface AnswerError {
  message: string;
  locations?: Location[];
  extensions: { resource: OperationOutcome };
}

/** A request that cannot be carried out as it stands. A source throws it for what it refuses. */
export class GraphqlError extends Error {
  /** HTTP status that says so. */
  readonly status: number;
  /** A code of http://hl7.org/fhir/issue-type. */
  readonly code: string;
  readonly location: Location | undefined;

  constructor(message: string, location?: Location, code = 'invalid', status = 400) {
    super(message);
    this.location = location;
    this.code = code;
    this.status = status;
  }

  toAnswer(): AnswerError {
    const issue = { severity: 'error' as const, code: this.code, diagnostics: this.message };
    return {
      message: this.message,
      ...(this.location ? { locations: [this.location] } : {}),
      extensions: { resource: { resourceType: 'OperationOutcome', issue: [issue] } as OperationOutcome },
    };
  }
}

/** A request that asks for more than a limit allows. */
export function tooCostly(what: string, limit: number, unit: string, location?: Location): GraphqlError {
  return new GraphqlError(`${what}: a request may have ${limit} ${unit}.`, location, 'too-costly');
}
