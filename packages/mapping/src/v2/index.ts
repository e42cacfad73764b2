/** HL7 v2 to FHIR R4: the public face. */
export { convertV2 } from './convert.ts';
export { compileOverlay, type Overlay } from './overlay.ts';
