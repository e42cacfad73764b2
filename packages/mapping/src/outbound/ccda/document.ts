/**
 * FHIR R4 → C-CDA R2.1: a Continuity of Care Document, Discharge Summary or Referral Note of one person's record, with a narrative
 * made of the same resources as the entries. Templates are those of HL7's 3.0 release, told beside their first versions.
 */
import type { DiagnosticReport, Observation, Procedure, Resource } from '@medplum/fhirtypes';
import { LOINC } from './codes.ts';
import { type CdaElement, type Child, el, writeXml } from './element.ts';
import {
  careProvided,
  confidentiality,
  custodian,
  documentAuthor,
  encompassingEncounter,
  informants,
  informationRecipient,
  relatedDocument,
  relatedPersons,
  versionOf,
} from './header.ts';
import { recordTarget } from './record-target.ts';
import { emptyBody, type SectionBody, type SectionKind, section } from './section.ts';
import { ALLERGIES, writeAllergies } from './sections/allergies.ts';
import { CARE_TEAMS, EQUIPMENT, PAYERS, writeCareTeams, writeEquipment, writePayers } from './sections/care.ts';
import { INTERVENTIONS, writeCommunications } from './sections/communications.ts';
import { ADVANCE_DIRECTIVES, writeDirectives } from './sections/directives.ts';
import {
  ADMISSION_DIAGNOSIS,
  CONSULTATIONS,
  DISCHARGE_DIAGNOSIS,
  DISCHARGE_INSTRUCTIONS,
  DISCHARGE_MEDICATIONS,
  HOSPITAL_COURSE,
  writeDiagnoses,
  writeDischargeMedications,
  writeWords,
} from './sections/discharge.ts';
import { ENCOUNTERS, writeEncounters } from './sections/encounters.ts';
import { FAMILY_HISTORY, writeFamilyHistory } from './sections/family-history.ts';
import { GOALS, HEALTH_CONCERNS, writeGoals, writeHealthConcerns } from './sections/goals.ts';
import { IMMUNIZATIONS, writeImmunizations } from './sections/immunizations.ts';
import { MEDICATIONS, writeMedications } from './sections/medications.ts';
import { furtherSections, writeNotes } from './sections/notes.ts';
import { PLAN, writePlan } from './sections/plan.ts';
import { PROBLEMS, writeProblems } from './sections/problems.ts';
import { PROCEDURES, writeProcedures } from './sections/procedures.ts';
import { ASSESSMENT, REASON_FOR_REFERRAL, writeReason } from './sections/referral.ts';
import { RESULTS, writeResults } from './sections/results.ts';
import { SOCIAL_HISTORY, writeSocialHistory } from './sections/social-history.ts';
import { FUNCTIONAL_STATUS, MENTAL_STATUS, PHYSICAL_EXAM, writeStatus } from './sections/status.ts';
import { VITAL_SIGNS, writeVitalSigns } from './sections/vital-signs.ts';
import { template } from './templates.ts';
import { fixed, time } from './values.ts';
import { type CcdaOptions, type Omission, Writer } from './writer.ts';

export interface WrittenCcda {
  /** The document, in UTF-8 when written as bytes. */
  xml: string;
  /** Clinical resources that it does not tell of, with the reason. */
  omitted: Omission[];
}

/** By kind the title, the template and the code of LOINC. */
const KINDS = {
  ccd: ['Continuity of Care Document', 'ccd', '34133-9', 'Summary of episode note'],
  'discharge-summary': ['Discharge Summary', 'dischargeSummary', '18842-5', 'Discharge summary'],
  'referral-note': ['Referral Note', 'referralNote', '57133-1', 'Referral note'],
} as const;

/**
 * Writes a document of a person's record.
 * @param resources the Patient, and what the record holds of the person and of those who took part
 * @throws RangeError where there is no Patient among the resources
 */
export function writeCcda(resources: readonly Resource[], options: CcdaOptions): WrittenCcda {
  const writer = new Writer(resources, options);
  const { id, time: now, kind, language = 'en-US' } = options;
  const [title, templateName, loinc, display] = KINDS[kind];
  const sections = {
    ccd: ccdSections,
    'discharge-summary': dischargeSections,
    'referral-note': referralSections,
  }[kind](writer);
  const root = el(
    'ClinicalDocument',
    {
      xmlns: 'urn:hl7-org:v3',
      'xmlns:sdtc': 'urn:hl7-org:sdtc',
      'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
    },
    el('realmCode', { code: 'US' }),
    el('typeId', { root: '2.16.840.1.113883.1.3', extension: 'POCD_HD000040' }),
    template('header'),
    template(templateName),
    el('id', { root: id }),
    fixed('code', loinc, LOINC, display),
    el('title', {}, options.withdrawn === undefined ? title : `Withdrawn: ${title}`),
    time('effectiveTime', now),
    confidentiality(),
    el('languageCode', { code: language }),
    versionOf(writer),
    recordTarget(writer),
    documentAuthor(writer),
    informants(writer),
    custodian(writer),
    kind === 'referral-note' && informationRecipient(writer),
    relatedPersons(writer),
    careProvided(writer),
    relatedDocument(writer),
    kind === 'discharge-summary' && encompassingEncounter(writer),
    el('component', {}, el('structuredBody', {}, sections)),
  );
  return { xml: writeXml(root), omitted: writer.omissions() };
}

/** A section to be written, in the order of the document. */
interface Planned {
  kind: SectionKind;
  required?: boolean;
  write(): SectionBody;
  /** Written after those without: what others did not take. */
  last?: boolean;
}

function ccdSections(writer: Writer): Child {
  return sectionsOf(writer, [
    { kind: ALLERGIES, required: true, write: () => writeAllergies(writer) },
    { kind: MEDICATIONS, required: true, write: () => writeMedications(writer) },
    { kind: PROBLEMS, required: true, write: () => writeProblems(writer) },
    { kind: PROCEDURES, write: () => writeProcedures(writer, () => true) },
    { kind: RESULTS, required: true, last: true, write: () => writeResults(writer, () => true) },
    ...common(writer),
  ]);
}

function referralSections(writer: Writer): Child {
  return sectionsOf(writer, [
    { kind: REASON_FOR_REFERRAL, required: true, write: () => writeReason(writer) },
    { kind: ASSESSMENT, required: true, write: () => writeWords(writer, ASSESSMENT) },
    { kind: ALLERGIES, required: true, write: () => writeAllergies(writer) },
    { kind: MEDICATIONS, required: true, write: () => writeMedications(writer) },
    { kind: PROBLEMS, required: true, write: () => writeProblems(writer) },
    { kind: PROCEDURES, write: () => writeProcedures(writer, () => true) },
    { kind: RESULTS, last: true, write: () => writeResults(writer, () => true) },
    ...common(writer),
  ]);
}

function dischargeSections(writer: Writer): Child {
  return sectionsOf(writer, [
    { kind: ALLERGIES, required: true, write: () => writeAllergies(writer) },
    { kind: HOSPITAL_COURSE, required: true, write: () => writeWords(writer, HOSPITAL_COURSE) },
    { kind: ADMISSION_DIAGNOSIS, write: () => writeDiagnoses(writer, 'admission') },
    { kind: DISCHARGE_DIAGNOSIS, required: true, write: () => writeDiagnoses(writer, 'discharge') },
    { kind: DISCHARGE_MEDICATIONS, required: true, write: () => writeDischargeMedications(writer) },
    { kind: DISCHARGE_INSTRUCTIONS, write: () => writeWords(writer, DISCHARGE_INSTRUCTIONS) },
    { kind: CONSULTATIONS, required: true, write: () => writeWords(writer, CONSULTATIONS) },
    { kind: PROBLEMS, write: () => writeProblems(writer) },
    { kind: PROCEDURES, required: true, write: () => writeProcedures(writer, (one) => isOfStay(writer, one)) },
    { kind: RESULTS, required: true, last: true, write: () => writeResults(writer, (one) => isOfStay(writer, one)) },
    ...common(writer),
  ]);
}

/** Sections of all kinds of document. */
function common(writer: Writer): Planned[] {
  return [
    { kind: PLAN, required: true, write: () => writePlan(writer) },
    { kind: ENCOUNTERS, write: () => writeEncounters(writer) },
    { kind: IMMUNIZATIONS, write: () => writeImmunizations(writer) },
    { kind: VITAL_SIGNS, required: true, write: () => writeVitalSigns(writer) },
    { kind: SOCIAL_HISTORY, required: true, write: () => writeSocialHistory(writer) },
    { kind: FAMILY_HISTORY, write: () => writeFamilyHistory(writer) },
    { kind: FUNCTIONAL_STATUS, write: () => writeStatus(writer, 'functional-status') },
    { kind: MENTAL_STATUS, write: () => writeStatus(writer, 'mental-status') },
    { kind: PHYSICAL_EXAM, write: () => writeStatus(writer, 'physical-exam') },
    { kind: GOALS, write: () => writeGoals(writer) },
    { kind: HEALTH_CONCERNS, write: () => writeHealthConcerns(writer) },
    { kind: ADVANCE_DIRECTIVES, write: () => writeDirectives(writer) },
    { kind: EQUIPMENT, write: () => writeEquipment(writer) },
    { kind: CARE_TEAMS, write: () => writeCareTeams(writer) },
    { kind: INTERVENTIONS, write: () => writeCommunications(writer) },
    { kind: PAYERS, write: () => writePayers(writer) },
  ];
}

function sectionsOf(writer: Writer, planned: readonly Planned[]): CdaElement[] {
  const { withdrawn } = writer.options;
  if (withdrawn !== undefined) {
    return planned.flatMap(({ kind, required }) =>
      required === true ? (section({ ...kind, none: withdrawn }, emptyBody([]), true) ?? []) : [],
    );
  }
  const made = new Map<Planned, CdaElement | undefined>();
  const write = (one: Planned): void => {
    const body = one.write();
    const footnotes = writer.takeFootnotes();
    made.set(one, section(one.kind, { ...body, words: [...(body.words ?? []), ...footnotes] }, one.required === true));
  };
  for (const one of planned) if (one.last !== true) write(one);
  for (const one of planned) if (one.last === true) write(one);
  const known = new Set([
    ...planned.map(({ kind }) => kind.code),
    ...planned.map(({ kind }) => kind.translation?.[0] ?? ''),
  ]);
  return [
    ...planned.map((one) => made.get(one)).filter((one) => one !== undefined),
    ...writeNotes(writer),
    ...furtherSections(writer, known),
  ];
}

/** Whether something was done during the stay: it says so, or it happened then. */
function isOfStay({ stay }: Writer, resource: Procedure | DiagnosticReport | Observation): boolean {
  if (stay === undefined) return true;
  if (resource.encounter !== undefined) return resource.encounter.reference === `Encounter/${stay.id}`;
  const { performedDateTime, performedPeriod } = resource as Procedure;
  const { effectiveDateTime, effectivePeriod, issued } = resource as Observation;
  const when = performedDateTime ?? performedPeriod?.start ?? effectiveDateTime ?? effectivePeriod?.start ?? issued;
  const { start, end } = stay.period ?? {};
  if (when === undefined) return true;
  const day = when.slice(0, 10);
  return (start === undefined || day >= start.slice(0, 10)) && (end === undefined || day <= end.slice(0, 10));
}
