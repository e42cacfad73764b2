/** C-CDA's templates by name, in each version that a receiver may look for. */
import { type CdaElement, el } from './element.ts';

const BASE = '2.16.840.1.113883.10.20.22';

/** Templates by name: the OID below HL7's C-CDA arc (or whole), and the versions told, the newest first. */
const TEMPLATES = {
  header: ['.1.1', '2024-05-01', '2015-08-01'],
  ccd: ['.1.2', '2024-05-01', '2015-08-01'],
  dischargeSummary: ['.1.8', '2024-05-01', '2015-08-01'],
  referralNote: ['.1.14', '2024-05-01', '2015-08-01'],
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
  reason: ['2.16.840.1.113883.10.20.24.3.88', '2023-05-01'],
  externalDocument: ['.4.115', '2014-06-09'],
  progress: ['.4.110'],
  handoff: ['.4.141'],
  udiOrganizer: ['.4.311', '2019-06-21'],
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
