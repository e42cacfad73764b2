/**
 * Clinical statements: their children in the order that CDA's schema has, templates in each version that a receiver
 * may look for, and codes of a converted document put back where they stood.
 */
import type { CodeableConcept, Extension } from '@medplum/fhirtypes';
import { CDA_ELEMENT } from '../../ccda/leftovers.ts';
import { attributeOf, type CdaElement, type Child, childNamed, el } from './element.ts';
import { code } from './values.ts';

const BASE = '2.16.840.1.113883.10.20.22';

/** Templates by name: the OID below HL7's C-CDA arc (or whole), and the versions told, the newest first. */
const TEMPLATES = {
  header: ['.1.1', '2024-05-01', '2015-08-01'],
  ccd: ['.1.2', '2024-05-01', '2015-08-01'],
  dischargeSummary: ['.1.8', '2024-05-01', '2015-08-01'],
  author: ['.4.119'],
  allergyConcern: ['.4.30', '2015-08-01'],
  allergyObservation: ['.4.7', '2014-06-09'],
  substanceAllergyObservation: ['2.16.840.1.113883.10.20.24.3.90', '2014-06-09'],
  allergyStatus: ['.4.28', '2019-06-20'],
  reaction: ['.4.9', '2014-06-09'],
  severity: ['.4.8', '2014-06-09'],
  criticality: ['.4.145'],
  problemConcern: ['.4.3', '2024-05-01', '2015-08-01'],
  problemObservation: ['.4.4', '2024-05-01', '2015-08-01'],
  problemStatus: ['.4.6', '2019-06-20'],
  age: ['.4.31'],
  comment: ['.4.64'],
  medicationActivity: ['.4.16', '2014-06-09'],
  medicationInformation: ['.4.23', '2014-06-09'],
  medicationDispense: ['.4.18', '2023-05-01', '2014-06-09'],
  medicationSupplyOrder: ['.4.17', '2014-06-09'],
  freeTextSig: ['.4.147'],
  precondition: ['.4.25', '2014-06-09'],
  drugVehicle: ['.4.24'],
  indication: ['.4.19', '2023-05-01', '2014-06-09'],
  instruction: ['.4.20', '2014-06-09'],
  immunization: ['.4.52', '2015-08-01'],
  immunizationInformation: ['.4.54', '2014-06-09'],
  immunizationNotGiven: ['.4.53', '2024-05-01'],
  resultOrganizer: ['.4.1', '2023-05-01', '2015-08-01'],
  resultObservation: ['.4.2', '2023-05-01', '2015-08-01'],
  vitalSignsOrganizer: ['.4.26', '2015-08-01'],
  vitalSign: ['.4.27', '2014-06-09'],
  procedure: ['.4.14', '2024-05-01', '2014-06-09'],
  productInstance: ['.4.37'],
  serviceDeliveryLocation: ['.4.32'],
  encounter: ['.4.49', '2015-08-01'],
  encounterDiagnosis: ['.4.80', '2024-05-01', '2015-08-01'],
  socialHistory: ['.4.38', '2022-06-01', '2015-08-01'],
  smokingStatus: ['.4.78', '2024-05-01', '2014-06-09'],
  tobaccoUse: ['.4.85', '2014-06-09'],
  birthSex: ['.4.200', '2024-05-01', '2016-06-01'],
  familyOrganizer: ['.4.45', '2015-08-01'],
  familyObservation: ['.4.46', '2015-08-01'],
  familyDeath: ['.4.47'],
  functionalStatus: ['.4.67', '2014-06-09'],
  mentalStatus: ['.4.74', '2024-05-01', '2015-08-01'],
  assessmentScale: ['.4.69', '2022-06-01'],
  plannedProcedure: ['.4.41', '2022-06-01', '2014-06-09'],
  plannedEncounter: ['.4.40', '2014-06-09'],
  plannedMedication: ['.4.42', '2014-06-09'],
  plannedImmunization: ['.4.120'],
  plannedSupply: ['.4.43', '2024-05-01', '2014-06-09'],
  goal: ['.4.121', '2022-06-01'],
  priority: ['.4.143'],
  healthConcern: ['.4.132', '2022-06-01', '2015-08-01'],
  careTeam: ['.4.500', '2022-06-01', '2019-07-01'],
  careTeamMember: ['.4.500.1', '2024-05-01', '2019-07-01'],
  coverage: ['.4.60', '2024-05-01', '2015-08-01'],
  policy: ['.4.61', '2024-05-01', '2015-08-01'],
  advanceDirectiveOrganizer: ['.4.108', '2022-02-14', '2015-08-01'],
  advanceDirective: ['.4.48', '2022-02-14'],
  supply: ['.4.50', '2014-06-09'],
  note: ['.4.202', '2016-11-01'],
  dischargeDiagnosis: ['.4.33', '2015-08-01'],
  admissionDiagnosis: ['.4.34', '2015-08-01'],
  dischargeMedication: ['.4.35', '2016-03-01'],
} as const satisfies Record<string, readonly [oid: string, ...versions: string[]]>;

export type TemplateName = keyof typeof TEMPLATES;

/** The templateIds of a template by name. */
export function template(name: TemplateName): CdaElement[] {
  const [oid, ...versions] = TEMPLATES[name] as readonly [string, ...string[]];
  return templateIds(oid, ...versions);
}

export function templateIds(oid: string, ...versions: string[]): CdaElement[] {
  const root = oid.startsWith('.') ? BASE + oid : oid;
  if (versions.length === 0) return [el('templateId', { root })];
  return versions.map((extension) => el('templateId', { root, extension }));
}

/** The order of children in CDA's schema, over all classes of statement. */
const ORDER = [
  'realmCode',
  'typeId',
  'templateId',
  'id',
  'sdtc:id',
  'code',
  'derivationExpr',
  'text',
  'statusCode',
  'effectiveTime',
  'sdtc:dischargeDispositionCode',
  'priorityCode',
  'repeatNumber',
  'independentInd',
  'quantity',
  'languageCode',
  'value',
  'interpretationCode',
  'methodCode',
  'approachSiteCode',
  'targetSiteCode',
  'routeCode',
  'doseQuantity',
  'rateQuantity',
  'maxDoseQuantity',
  'administrationUnitCode',
  'expectedUseTime',
  'product',
  'consumable',
  'subject',
  'specimen',
  'performer',
  'author',
  'informant',
  'participant',
  'entryRelationship',
  'component',
  'reference',
  'precondition',
  'referenceRange',
];
const PLACE = new Map(ORDER.map((name, place) => [name, place]));
/** In a substance administration the route comes before the site. */
const SITE_AFTER_ROUTE = PLACE.get('routeCode')! + 0.5;

export interface StatementKind {
  classCode: string;
  moodCode: string;
  negationInd?: boolean;
}

/** A clinical statement; its children may be given in any order. */
export function statement(name: string, kind: StatementKind, ...children: Child[]): CdaElement {
  const { classCode, moodCode, negationInd } = kind;
  const element = el(
    name,
    { classCode, moodCode, negationInd: negationInd === undefined ? undefined : String(negationInd) },
    ...children,
  );
  return inOrder(element);
}

function inOrder(element: CdaElement): CdaElement {
  const medicine = element.name === 'substanceAdministration';
  const placeOf = (child: CdaElement | string): number => {
    if (typeof child === 'string') return 0;
    if (medicine && child.name === 'approachSiteCode') return SITE_AFTER_ROUTE;
    return PLACE.get(child.name) ?? PLACE.get('participant')!;
  };
  element.children.sort((a, b) => placeOf(a) - placeOf(b));
  return element;
}

export function statusCode(value: string): CdaElement {
  return el('statusCode', { code: value });
}

/** `text` that points at the narrative. */
export function textReference(id: string | undefined): CdaElement | undefined {
  return id === undefined ? undefined : el('text', {}, el('reference', { value: `#${id}` }));
}

/** `entryRelationship` around a statement. */
export function related(typeCode: string, inner: CdaElement | undefined, inverted = false): CdaElement | undefined {
  if (inner === undefined) return undefined;
  return el('entryRelationship', { typeCode, inversionInd: inverted ? 'true' : undefined }, inner);
}

/** An observation that only names its kind and value, as statuses, severities and ages are. */
export function smallObservation(name: TemplateName, ...children: Child[]): CdaElement {
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    template(name),
    statusCode('completed'),
    ...children,
  );
}

const STEP = /^([\w:]+)(?:\[(\d+)\])?$/;

/** Elements that are made where a code's path leads through them, with the attributes they must have. */
const MADE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  specimen: {},
  specimenRole: {},
  specimenPlayingEntity: {},
  participant: { typeCode: 'IND' },
  participantRole: {},
  playingEntity: {},
  reference: { typeCode: 'REFR' },
  externalDocument: {},
  externalObservation: {},
  qualifier: {},
};
const IN_A_CODE = ['originalText', 'qualifier', 'translation'];

/**
 * Puts codes that FHIR had no element for back where they stood in the document they came from (`leftovers.ts` keeps
 * them with their path): in the element itself where it has no code, else as its translation.
 */
export function putBack(element: CdaElement, resource: { extension?: Extension[] }): CdaElement {
  let made: Map<string, CdaElement> | undefined;
  for (const { url, extension } of resource.extension ?? []) {
    if (url !== CDA_ELEMENT) continue;
    const path = extension?.find((part) => part.url === 'path')?.valueString;
    const concept = extension?.find((part) => part.url === 'value')?.valueCodeableConcept;
    if (path === undefined || concept === undefined) continue;
    made ??= new Map();
    putCode(element, path.split('/'), concept, made);
  }
  return made === undefined ? element : inOrder(element);
}

function putCode(
  element: CdaElement,
  path: readonly string[],
  concept: CodeableConcept,
  made: Map<string, CdaElement>,
): void {
  let at = element;
  let walked = '';
  for (const step of path.slice(0, -1)) {
    walked += `/${step}`;
    const next = goTo(at, step, walked, made);
    if (next === undefined) return;
    at = next;
  }
  const [, name, nth] = STEP.exec(path.at(-1)!) ?? [];
  if (name === undefined) return;
  const known = childNamed(at, name);
  if (known === undefined || (name === 'value' && nth !== undefined && nth !== '1')) {
    at.children.push(code(name, concept, { type: name === 'value' && at.name !== 'qualifier' ? 'CD' : undefined }));
  } else if (attributeOf(known, 'code') === undefined && attributeOf(known, 'xsi:type') === undefined) {
    const told = code(name, concept);
    known.attributes = told.attributes;
    known.children.push(...told.children);
  } else if (known.name === 'code' || attributeOf(known, 'xsi:type') === 'CD') {
    known.children.push({ ...code(name, concept), name: 'translation' });
  }
}

/** The child that a step names, made where it may be; what took part is not what took part before. */
function goTo(
  element: CdaElement,
  step: string,
  walked: string,
  made: Map<string, CdaElement>,
): CdaElement | undefined {
  const known = made.get(walked);
  if (known !== undefined) return known;
  const [, name, nth = '1'] = STEP.exec(step) ?? [];
  if (name === undefined) return undefined;
  const alike = element.children.filter(
    (child): child is CdaElement => typeof child !== 'string' && child.name === name,
  );
  const found = name === 'participant' ? undefined : alike[Number(nth) - 1];
  if (found !== undefined) return found;
  const attributes = MADE[name];
  if (attributes === undefined) return undefined;
  const child = el(name, { ...attributes });
  if (name === 'participant' && element.name === 'substanceAdministration') {
    child.attributes = [['typeCode', 'CSM']];
    const role = el('participantRole', { classCode: 'MANU' }, template('drugVehicle'));
    child.children.push(role);
    made.set(`${walked}/participantRole`, role);
  }
  element.children.push(child);
  if (name === 'qualifier') element.children.sort((a, b) => placeInCode(a) - placeInCode(b));
  made.set(walked, child);
  return child;
}

function placeInCode(child: CdaElement | string): number {
  return typeof child === 'string' ? -1 : IN_A_CODE.indexOf(child.name);
}
