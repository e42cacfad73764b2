export { convertCcda, convertCcdaInto } from './ccda/convert.ts';
export type { ConceptTable, StandardCode } from './concepts.ts';
export * from './conversion.ts';
export * from './fact-id.ts';
export { convertFhir } from './fhir/convert.ts';
export { mergeFact } from './merge-fact.ts';
export * from './outbound/index.ts';
export { encodePart, universalSystem } from './v2/datatypes/identifier.ts';
export { compileOverlay, convertV2, type Overlay } from './v2/index.ts';
