/** The public face of `@causeway/fhir`: FHIR R4 definitions compiled (https://hl7.org/fhir/R4/). */
export type { BundleLimits, EntryFrame, ScannedBundle, ScannedEntry } from './bundle.ts';
export { BUNDLE_LIMITS, scanBundle } from './bundle.ts';
export type { CutBundle, CutLimits } from './bundle-cutter.ts';
export { BundleCutter, CUT_LIMITS } from './bundle-cutter.ts';
export type { CanonicalText, VersionMeta } from './canonical-text.ts';
export { canonicalText } from './canonical-text.ts';
export { capabilityResources } from './capability.ts';
export type { DefinitionsArtifact } from './definitions/artifact.ts';
export { ARTIFACT_FORMAT } from './definitions/artifact.ts';
export { compileDefinitions, definitionsSource } from './definitions/compile.ts';
export { compileTerminology, TERMINOLOGY_FORMAT } from './definitions/compile-terminology.ts';
export { elementNamesOf, loadDefinitions } from './definitions/definitions.ts';
export { publishedTerminology, useTerminology } from './definitions/terminology.ts';
export type { TypeProperty } from './definitions/type-properties.ts';
export { complexTypeNames, typeProperties } from './definitions/type-properties.ts';
export { parseExact } from './json/exact.ts';
export type { JsonLimits } from './json/limits.ts';
export { DEFAULT_LIMITS } from './json/limits.ts';
export { objectMembers, textOfItems } from './json/members.ts';
export type { JsonValue } from './json/parse.ts';
export { parseJson } from './json/parse.ts';
export { prettyJson } from './json/pretty.ts';
export type { ReferenceSpan, Span } from './json/tokens.ts';
export { narrativeIssues } from './narrative/narrative.ts';
export type { FhirError, Issue, IssueCode } from './outcome.ts';
export { isFhirError, operationOutcome } from './outcome.ts';
export { applyFhirPathPatch, isQuickFhirPathPatch } from './patch/fhirpath-patch.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export {
  type HidableElement,
  type HiddenElement,
  hidableElements,
  hidesOf,
  hidingFault,
  redact,
  tellsOfHidden,
} from './redact.ts';
export { isDefinition, isResourceType, resourceTypes, typeCode, typeName } from './resource-types.ts';
export type { ScannedResource } from './scan.ts';
export { scanResource } from './scan.ts';
export { compartmentMembers, compartmentParameters, compartmentTypes } from './search/compartments.ts';
export type { CustomParameter, ParameterFault } from './search/custom-parameters.ts';
export {
  customParameter,
  parameterExtractor,
  parameterTypes,
  searchParametersVersion,
  useSearchParameters,
} from './search/custom-parameters.ts';
export type { DateRange } from './search/dates.ts';
export { DATE_MAX, DATE_MIN, dateRange } from './search/dates.ts';
export { compartment, extract, isInPatientCompartment } from './search/extract.ts';
export type {
  CompositeValue,
  DateValue,
  IndexValue,
  NumberValue,
  QuantityValue,
  ReferenceValue,
  SearchParameter,
  SearchParameterType,
  SearchValue,
  StringValue,
  TokenValue,
  UriValue,
} from './search/index-value.ts';
export type { UncompiledParameter } from './search/parameters.ts';
export { searchParameters, uncompiled } from './search/parameters.ts';
export { isId, referenceValue } from './search/references.ts';
export { normalizeString } from './search/strings.ts';
export type { CanonicalQuantity } from './search/ucum.ts';
export { canonicalQuantity } from './search/ucum.ts';
export type { SubsetRequest } from './subset.ts';
export { subset } from './subset.ts';
export { validate } from './validation/validate.ts';
export type { XmlLimits } from './xml/read.ts';
export { jsonFromXml, XML_LIMITS } from './xml/read.ts';
export { xmlFromJson } from './xml/write.ts';
