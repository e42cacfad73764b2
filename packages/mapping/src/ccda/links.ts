/**
 * How a nested statement hangs on the one around it, as FHIR has it.
 */
import type { Draft } from './draft.ts';
import { compileFhirPath, valueAt } from './fhir-path.ts';
import type { Run } from './run.ts';

interface Link {
  parents: readonly string[];
  children: readonly string[];
  /** Which of the two holds the reference. */
  on: 'parent' | 'child';
  path: string;
  /** Only for these relationship types. */
  only?: readonly string[];
}

const ACTS = [
  'Procedure',
  'Observation',
  'DiagnosticReport',
  'Condition',
  'MedicationRequest',
  'ServiceRequest',
  'Immunization',
];
/** What a plan may hold as its activities. */
export const REQUESTS = ['ServiceRequest', 'MedicationRequest', 'DeviceRequest', 'CommunicationRequest', 'Appointment'];
const FINDINGS = ['Observation', 'Condition', 'DiagnosticReport'];

/** The first that fits is taken. */
const LINKS: readonly Link[] = [
  { parents: ['DiagnosticReport'], children: ['Observation'], on: 'parent', path: 'result[]' },
  { parents: ['Observation'], children: ['Observation'], on: 'parent', path: 'hasMember[]' },
  { parents: ['Condition'], children: FINDINGS, on: 'parent', path: 'evidence[].detail[]' },
  { parents: ['Encounter'], children: ['Condition'], on: 'parent', path: 'diagnosis[].condition' },
  { parents: ['Encounter'], children: ACTS, on: 'child', path: 'encounter' },
  { parents: ['Encounter'], children: ['MedicationStatement', 'MedicationDispense'], on: 'child', path: 'context' },
  { parents: ACTS, children: ['Encounter'], on: 'parent', path: 'encounter' },
  {
    parents: ['Procedure', 'ServiceRequest', 'MedicationStatement', 'MedicationRequest', 'Immunization', 'Encounter'],
    children: ['Condition', 'Observation', 'DiagnosticReport'],
    on: 'parent',
    path: 'reasonReference[]',
    only: ['RSON'],
  },
  { parents: ['MedicationRequest'], children: ['MedicationDispense'], on: 'child', path: 'authorizingPrescription[]' },
  { parents: ['MedicationStatement'], children: ['MedicationRequest'], on: 'parent', path: 'basedOn[]' },
  { parents: ['MedicationStatement'], children: ['MedicationDispense'], on: 'parent', path: 'derivedFrom[]' },
  { parents: ['MedicationStatement'], children: ['Observation'], on: 'child', path: 'partOf[]' },
  {
    parents: ['Immunization', 'Procedure'],
    children: ['Observation', 'MedicationStatement'],
    on: 'child',
    path: 'partOf[]',
  },
  { parents: ['Procedure'], children: ['Procedure'], on: 'child', path: 'partOf[]' },
  { parents: ['ServiceRequest'], children: ['Observation', 'Condition'], on: 'parent', path: 'supportingInfo[]' },
  { parents: ['Goal'], children: ['Condition', 'Observation', 'ServiceRequest'], on: 'parent', path: 'addresses[]' },
  {
    parents: ['Condition', 'Observation'],
    children: ['Goal'],
    on: 'child',
    path: 'addresses[]',
    only: ['REFR', 'RSON'],
  },
  { parents: ['Observation'], children: ['Goal'], on: 'child', path: 'outcomeReference[]' },
  { parents: ['Procedure', 'ServiceRequest'], children: ['ServiceRequest'], on: 'child', path: 'basedOn[]' },
  { parents: ['ServiceRequest'], children: ['MedicationRequest', 'DeviceRequest'], on: 'child', path: 'basedOn[]' },
  {
    parents: ['Coverage'],
    children: ['ServiceRequest', 'MedicationRequest', 'DeviceRequest'],
    on: 'child',
    path: 'insurance[]',
  },
  { parents: ['CarePlan'], children: ['Goal'], on: 'parent', path: 'goal[]' },
  { parents: ['CarePlan'], children: ['Condition'], on: 'parent', path: 'addresses[]' },
  { parents: ['CarePlan'], children: REQUESTS, on: 'parent', path: 'activity[].reference' },
  { parents: ['CarePlan'], children: ['*'], on: 'parent', path: 'supportingInfo[]' },
  { parents: ['Observation'], children: ['DocumentReference'], on: 'parent', path: 'derivedFrom[]' },
  { parents: ['Condition'], children: ['DocumentReference'], on: 'parent', path: 'evidence[].detail[]' },
  { parents: ['Procedure'], children: ['DocumentReference'], on: 'parent', path: 'report[]' },
  { parents: ['ServiceRequest'], children: ['DocumentReference'], on: 'parent', path: 'supportingInfo[]' },
  { parents: ['MedicationRequest'], children: ['DocumentReference'], on: 'parent', path: 'supportingInformation[]' },
  { parents: ['MedicationStatement'], children: ['DocumentReference'], on: 'parent', path: 'derivedFrom[]' },
  {
    parents: ['DocumentReference'],
    children: ['DocumentReference', 'Observation'],
    on: 'parent',
    path: 'context.related[]',
  },
  { parents: ['DocumentReference'], children: ['Encounter'], on: 'parent', path: 'context.encounter[]' },
  { parents: ['Encounter'], children: ['DocumentReference'], on: 'child', path: 'context.encounter[]' },
  { parents: ['*'], children: ['Observation'], on: 'child', path: 'focus[]' },
];

/** Refers from the one to the other where FHIR has an element for it. */
export function linkFacts(run: Run, parent: Draft, child: Draft, typeCode: string): void {
  if (parent === child) return;
  const link = LINKS.find(
    (one) =>
      (one.parents[0] === '*' || one.parents.includes(parent.type)) &&
      (one.children[0] === '*' || one.children.includes(child.type)) &&
      (one.only === undefined || one.only.includes(typeCode)),
  );
  if (link === undefined) return;
  const holder = link.on === 'parent' ? parent : child;
  const other = link.on === 'parent' ? child : parent;
  if (!link.path.endsWith(']') && valueAt(holder.resource, compileFhirPath(link.path)) !== undefined) return;
  holder.put(link.path, run.referenceTo(other));
}
