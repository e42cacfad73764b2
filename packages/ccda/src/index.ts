export * from './datatypes.ts';
export * from './document.ts';
export { CDA_NAMESPACE, SDTC_NAMESPACE, type XmlAttribute, XmlElement } from './element.ts';
export { compileSchematron, SchematronError } from './schematron/compile.ts';
export { type DocumentIndex, indexDocument } from './schematron/runtime.ts';
export { loadSchematron, Schematron, type SchematronFinding } from './schematron/schematron.ts';
export {
  type NarrativePlace,
  parseXml,
  positionOf,
  XML_LIMITS,
  type XmlDocument,
  type XmlError,
  type XmlLimits,
  type XmlResult,
} from './xml.ts';
