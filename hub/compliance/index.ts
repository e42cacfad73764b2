/** Compliance from facts: the register of refusals (45 CFR 171), requests with their clocks, the safeguards of HIPAA. */
export type { CheckParts, CheckResult, CheckSettings } from './checks.ts';
export { registerCsv } from './csv.ts';
export { type ExceptionCode, exceptions, type ObservedKind, requesterKinds, requestSteps } from './exceptions.ts';
export { Refusals, type Refused } from './refusals.ts';
export { type FiledRequest, Requests, requestNoteColumn, requestTextColumn } from './requests.ts';
export { attestedStates, Safeguards } from './safeguards.ts';
