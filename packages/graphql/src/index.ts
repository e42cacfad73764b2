/** The public face of `@causeway/graphql`: FHIR GraphQL over a source of resources (https://hl7.org/fhir/R4/graphql.html). */
export { type AnswerError, GraphqlError } from './errors.ts';
export { executeGraphql, type GraphqlAnswer, type GraphqlOptions, type GraphqlRequest } from './execute.ts';
export { DEFAULT_LIMITS, type GraphqlLimits } from './limits.ts';
export type { Change, GraphqlSource, Resource, ResourceId, SearchPage } from './source.ts';
