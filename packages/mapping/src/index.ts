export { convertCcda } from './ccda/convert.ts';
export * from './conversion.ts';
export * from './fact-id.ts';
export { convertFhir } from './fhir/convert.ts';
export { mergeFact } from './merge-fact.ts';
export * from './outbound/index.ts';
export { convertV2 } from './v2/index.ts';
