import { parseXml, type XmlElement } from '@causeway/ccda';
import { describe, expect, it } from 'vitest';
import { convert, documentOf, ofType, sectionOf } from './sample.ts';
import type { Row } from './table.ts';
import { EXTERNAL_DOCUMENT, SPECIMEN_COLLECTION } from './tables/common.ts';
import { UDI, UDI_ORGANIZER } from './tables/devices.ts';
import { chooseTable, isComment, isEntryReference, isWrapper, TABLES } from './tables/index.ts';

/*
 * Every template of HL7's C-CDA (releases 2.1 to 5.0, fsh of HL7/CDA-ccda), each with what becomes of it:
 * the table that reads it, or
 *   wrapper    what it says goes to the facts that it holds
 *   folded     rows of the statement around it read it
 *   device     a part of a device's identifier
 *   note       words about what is around it
 *   pointer    a reference to another entry
 *   element    rows read the element in which it stands
 *   kept       no element of R4 for it: an extension on the resource around it
 */
const C = '2.16.840.1.113883.10.20.22.4.';
const ENTRIES: readonly (readonly [oid: string, statement: string, becomes: string])[] = [
  [`${C}36`, 'act EVN', 'wrapper'], // Admission Medication
  [`${C}513`, 'observation EVN', 'advance-directive-observation'], // Advance Directive Existence Observation
  [`${C}48`, 'observation EVN', 'advance-directive-observation'], // Advance Directive Observation
  [`${C}108`, 'organizer EVN', 'advance-directive-organizer'], // Advance Directive Organizer
  [`${C}31`, 'observation EVN', 'folded'], // Age Observation
  [`${C}516`, 'observation EVN', 'folded'], // Age Range Observation
  [`${C}30`, 'act EVN', 'wrapper'], // Allergy Concern Act
  [`${C}7`, 'observation EVN', 'allergy-intolerance-observation'], // Allergy Intolerance Observation
  [`${C}28`, 'observation EVN', 'folded'], // Allergy Status Observation
  [`${C}69`, 'observation EVN', 'assessment-scale-observation'], // Assessment Scale Observation
  [`${C}86`, 'observation EVN', 'assessment-scale-observation'], // Assessment Scale Supporting Observation
  ['2.16.840.1.113883.10.20.1.19', 'act EVN', 'wrapper'], // Authorization Activity
  [`${C}512`, 'organizer EVN', 'vital-signs-organizer'], // Average Blood Pressure Organizer
  [`${C}504`, 'observation EVN', 'social-history-observation'], // Basic Industry Observation
  [`${C}503`, 'observation EVN', 'social-history-observation'], // Basic Occupation Observation
  [`${C}200`, 'observation EVN', 'social-history-observation'], // Birth Sex Observation
  [`${C}301`, 'observation EVN', 'device'], // Brand Name Observation
  [`${C}509`, 'observation EVN', 'care-experience-preference-observation'], // Care Experience Preference
  [`${C}518`, 'act EVN', 'care-plan-act'], // Care Plan Act
  [`${C}500.1`, 'act EVN', 'folded'], // Care Team Member Act
  [`${C}500.3`, 'observation EVN', 'folded'], // Care Team Member Schedule Observation
  [`${C}500`, 'organizer EVN', 'care-team-organizer'], // Care Team Organizer
  [`${C}500.2`, 'observation EVN', 'folded'], // Care Team Type Observation
  [`${C}72`, 'observation EVN', 'social-history-observation'], // Caregiver Characteristics
  [`${C}302`, 'observation EVN', 'device'], // Catalog Number Observation
  [`${C}109`, 'observation EVN', 'social-history-observation'], // Characteristics of Home Environment
  [`${C}64`, 'act EVN', 'note'], // Comment Activity
  [`${C}303`, 'observation EVN', 'device'], // Company Name Observation
  [`${C}60`, 'act EVN', 'wrapper'], // Coverage Activity
  [`${C}145`, 'observation EVN', 'folded'], // Criticality Observation
  [`${C}111`, 'observation EVN', 'social-history-observation'], // Cultural and Religious Observation
  [`${C}502`, 'act EVN', 'folded'], // Date Of Diagnosis Act
  [`${C}79`, 'observation EVN', 'observation'], // Deceased Observation
  [`${C}304`, 'observation EVN', 'device'], // Device Identifier Observation
  [`${C}505`, 'observation EVN', 'disability-status-observation'], // Disability Status Observation
  [`${C}35`, 'act EVN', 'wrapper'], // Discharge Medication
  [`${C}308`, 'observation EVN', 'device'], // Distinct Identification Code Observation
  [`${C}123`, 'act INT', 'planned-procedure'], // Drug Monitoring Act
  [`${C}24`, 'participantRole -', 'kept'], // Drug Vehicle
  [`${C}49`, 'encounter EVN', 'encounter-activity'], // Encounter Activity
  [`${C}80`, 'act EVN', 'wrapper'], // Encounter Diagnosis
  [`${C}122`, 'act EVN', 'pointer'], // Entry Reference
  ['2.16.840.1.113883.10.20.15.3.1', 'observation EVN', 'social-history-observation'], // Estimated Date of Delivery
  [`${C}309`, 'observation EVN', 'device'], // Expiration Date Observation
  [`${C}115`, 'id', 'element'], // External Document Reference
  [`${C}47`, 'observation EVN', 'folded'], // Family History Death Observation
  [`${C}46`, 'observation EVN', 'observation'], // Family History Observation
  [`${C}45`, 'organizer EVN', 'family-history-organizer'], // Family History Organizer
  [`${C}67`, 'observation EVN', 'functional-status-observation'], // Functional Status Observation
  [`${C}66`, 'organizer EVN', 'functional-status-organizer'], // Functional Status Organizer
  ['2.16.840.1.113883.10.20.34.3.45', 'observation EVN', 'social-history-observation'], // Gender Identity Observation
  [`${C}121`, 'observation GOL', 'goal-observation'], // Goal Observation
  [`${C}141`, 'act EVN', 'handoff-communication'], // Handoff Communication Participants
  [`${C}132`, 'act EVN', 'wrapper'], // Health Concern Act
  [`${C}5`, 'observation EVN', 'observation'], // Health Status Observation
  [`${C}77`, 'observation EVN', 'physical-finding-observation'], // Highest Pressure Ulcer Stage
  [`${C}34`, 'act EVN', 'wrapper'], // Hospital Admission Diagnosis
  [`${C}33`, 'act EVN', 'wrapper'], // Hospital Discharge Diagnosis
  [`${C}52`, 'substanceAdministration EVN', 'immunization-activity'], // Immunization Activity
  [`${C}54`, 'manufacturedMaterial -', 'element'], // Immunization Medication Information
  [`${C}53`, 'observation EVN', 'folded'], // Immunization Not Given Reason
  [`${C}305`, 'observation EVN', 'device'], // Implantable Device Status Observation
  [`${C}19`, 'observation EVN', 'indication'], // Indication
  ['2.16.840.1.113883.10.15.2', 'observation EVN', 'social-history-observation'], // Individual Pronoun Observation
  [`${C}20`, 'act INT', 'planned-procedure'], // Instruction
  [`${C}515`, 'observation EVN', 'observation'], // Instruction Observation
  [`${C}514`, 'observation EVN', 'social-history-observation'], // Interpreter Needed Observation
  [`${C}131`, 'act EVN', 'act'], // Intervention Act
  [`${C}314`, 'observation EVN', 'device'], // Latex Safety Observation
  [`${C}114`, 'observation EVN', 'problem-observation'], // Longitudinal Care Wound Observation
  [`${C}315`, 'observation EVN', 'device'], // Lot Or Batch Number Observation
  [`${C}318`, 'observation EVN', 'device'], // MRISafety Observation
  [`${C}316`, 'observation EVN', 'device'], // Manufacturing Date Observation
  [`${C}135`, 'organizer EVN', 'wrapper'], // Medical Equipment Organizer
  [`${C}16`, 'substanceAdministration EVN', 'medication-activity'], // Medication Activity
  [`${C}508`, 'observation EVN', 'observation'], // Medication Adherence
  [`${C}18`, 'supply EVN', 'medication-dispense'], // Medication Dispense
  [`${C}147`, 'substanceAdministration EVN', 'folded'], // Medication Free Text Sig
  [`${C}23`, 'manufacturedMaterial -', 'element'], // Medication Information
  [`${C}17`, 'supply INT', 'supply-order'], // Medication Supply Order
  [`${C}74`, 'observation EVN', 'mental-status-observation'], // Mental Status Observation
  [`${C}75`, 'organizer EVN', 'mental-status-organizer'], // Mental Status Organizer
  [`${C}317`, 'observation EVN', 'device'], // Model Number Observation
  [`${C}50`, 'supply EVN', 'supply-activity'], // Non Medicinal Supply Activity
  [`${C}202`, 'act EVN', 'note-activity'], // Note Activity
  [`${C}76`, 'observation EVN', 'physical-finding-observation'], // Number of Pressure Ulcers Observation
  [`${C}138`, 'observation EVN', 'physical-finding-observation'], // Nutrition Assessment
  [`${C}130`, 'act INT', 'planned-procedure'], // Nutrition Recommendation
  [`${C}124`, 'observation EVN', 'physical-finding-observation'], // Nutritional Status Observation
  [`${C}144`, 'observation EVN', 'observation'], // Outcome Observation
  [`${C}129`, 'act INT', 'planned-coverage'], // Planned Coverage
  [`${C}40`, 'encounter INT', 'planned-procedure'], // Planned Encounter
  [`${C}120`, 'substanceAdministration INT', 'planned-medication'], // Planned Immunization Activity
  [`${C}146`, 'act INT', 'planned-procedure'], // Planned Intervention Act
  [`${C}42`, 'substanceAdministration INT', 'planned-medication'], // Planned Medication Activity
  [`${C}41`, 'procedure INT', 'planned-procedure'], // Planned Procedure
  [`${C}43`, 'supply INT', 'planned-supply'], // Planned Supply
  [`${C}61`, 'act EVN', 'policy-activity'], // Policy Activity
  [`${C}51`, 'act EVN', 'wrapper'], // Postprocedure Diagnosis
  [`${C}25`, 'criterion -', 'element'], // Precondition for Substance Administration
  [`${C}281`, 'observation EVN', 'social-history-observation'], // Pregnancy Intention In Next Year
  ['2.16.840.1.113883.10.20.15.3.8', 'observation EVN', 'social-history-observation'], // Pregnancy Status Observation
  [`${C}65`, 'act EVN', 'wrapper'], // Preoperative Diagnosis
  [`${C}143`, 'observation EVN', 'folded'], // Priority Preference
  [`${C}3`, 'act EVN', 'wrapper'], // Problem Concern Act
  [`${C}4`, 'observation EVN', 'problem-observation'], // Problem Observation
  [`${C}6`, 'observation EVN', 'folded'], // Problem Status
  [`${C}14`, 'procedure EVN', 'procedure-activity'], // Procedure Activity Procedure
  [`${C}37`, 'playingDevice -', 'element'], // Product Instance
  [`${C}113`, 'observation EVN', 'observation'], // Prognosis Observation
  [`${C}110`, 'observation EVN', 'folded'], // Progress Toward Goal Observation
  [`${C}9`, 'observation EVN', 'folded'], // Reaction Observation
  ['2.16.840.1.113883.10.20.24.3.88', 'observation EVN', 'folded'], // Reason
  [`${C}140`, 'act INT', 'planned-procedure'], // Referral Act
  [`${C}2`, 'observation EVN', 'result-observation'], // Result Observation
  [`${C}1`, 'organizer EVN', 'result-organizer'], // Result Organizer
  [`${C}136`, 'act EVN', 'wrapper'], // Risk Concern Act
  [`${C}201`, 'observation EVN', 'observation'], // Section Time Range Observation
  [`${C}128`, 'observation EVN', 'functional-status-observation'], // Self Care Activities ADLand IADL
  [`${C}127`, 'observation EVN', 'functional-status-observation'], // Sensory Status
  [`${C}319`, 'observation EVN', 'device'], // Serial Number Observation
  [`${C}32`, 'SDLOC -', 'element'], // Service Delivery Location
  [`${C}8`, 'observation EVN', 'folded'], // Severity Observation
  [`${C}507`, 'observation EVN', 'social-history-observation'], // Sex Observation
  ['2.16.840.1.113883.10.15.3', 'observation EVN', 'social-history-observation'], // Sex Parameter For Clinical Use Observation
  [`${C}501`, 'observation EVN', 'social-history-observation'], // Sexual Orientation Observation
  [`${C}511`, 'observation EVN', 'social-history-observation'], // Smoking Status
  [`${C}78`, 'observation EVN', 'social-history-observation'], // Smoking Status Meaningful Use
  [`${C}38`, 'observation EVN', 'social-history-observation'], // Social History Observation
  [`${C}415`, 'procedure EVN', 'folded'], // Specimen Collection Procedure
  [`${C}421`, 'observation EVN', 'folded'], // Specimen Condition Observation
  [`${C}118`, 'act EVN', 'folded'], // Substance Administered Act
  ['2.16.840.1.113883.10.20.24.3.90', 'observation EVN', 'allergy-intolerance-observation'], // Substance Or Device Allergy Intolerance Observation
  [`${C}85`, 'observation EVN', 'social-history-observation'], // Tobacco Use
  [`${C}510`, 'observation EVN', 'treatment-preference-observation'], // Treatment Intervention Preference
  [`${C}506`, 'observation EVN', 'social-history-observation'], // Tribal Affiliation Observation
  [`${C}311`, 'organizer EVN', 'device'], // UDIOrganizer
  [`${C}27`, 'observation EVN', 'vital-sign-observation'], // Vital Sign Observation
  [`${C}26`, 'organizer EVN', 'vital-signs-organizer'], // Vital Signs Organizer
  [`${C}134`, 'observation EVN', 'physical-finding-observation'], // Wound Characteristic
  [`${C}133`, 'observation EVN', 'physical-finding-observation'], // Wound Measurement Observation
];

/** Templates of entries of releases before the current one that documents still carry. */
const FORMER: readonly (readonly [oid: string, statement: string, becomes: string])[] = [
  [`${C}12`, 'act EVN', 'act'],
  [`${C}13`, 'observation EVN', 'procedure-activity-observation'],
  [`${C}39`, 'act INT', 'planned-procedure'],
  [`${C}44`, 'observation INT', 'planned-observation'],
  [`${C}68`, 'observation EVN', 'problem-observation'],
  [`${C}70`, 'observation EVN', 'problem-observation'],
  [`${C}73`, 'observation EVN', 'problem-observation'],
];

/**
 * Sections by LOINC: the table for an entry without a known template; `class` where its class and mood choose;
 * `narrative` where the specification has no entries.
 */
const SECTIONS: readonly (readonly [name: string, loinc: string, entries: string])[] = [
  ['Activities Section', '62387-6', 'class'],
  ['Admission Diagnosis Section', '46241-6', 'problem-observation'],
  ['Admission Medications Section Entries Optional', '42346-7', 'class'],
  ['Advance Directives Section', '42348-3', 'advance-directive-observation'],
  ['Allergies And Intolerances Section', '48765-2', 'allergy-intolerance-observation'],
  ['Anesthesia Section', '59774-0', 'class'],
  ['Assessment Section', '51848-0', 'narrative'],
  ['Assessment and Plan Section', '51847-2', 'class'],
  ['Care Teams Section', '85847-2', 'class'],
  ['Chief Complaint Section', '10154-3', 'narrative'],
  ['Chief Complaint and Reason for Visit Section', '46239-0', 'narrative'],
  ['Complications Section', '55109-3', 'problem-observation'],
  ['Course of Care Section', '8648-8', 'narrative'],
  ['Discharge Diagnosis Section', '11535-2', 'problem-observation'],
  ['Discharge Medications Section', '10183-2', 'class'],
  ['Encounters Section', '46240-8', 'problem-observation'],
  ['Family History Section', '10157-6', 'family-history-organizer'],
  ['Functional Status Section', '47420-5', 'functional-status-observation'],
  ['General Status Section', '10210-3', 'narrative'],
  ['Goals Section', '61146-7', 'class'],
  ['Health Concerns Section', '75310-3', 'class'],
  ['History of Present Illness Section', '10164-2', 'narrative'],
  ['Hospital Consultations Section', '18841-7', 'narrative'],
  ['Hospital Course Section', '8648-8', 'narrative'],
  ['Hospital Discharge Instructions Section', '8653-8', 'narrative'],
  ['Hospital Discharge Physical Section', '10184-0', 'narrative'],
  ['Hospital Discharge Studies Summary Section', '11493-4', 'narrative'],
  ['Immunizations Section', '11369-6', 'immunization-activity'],
  ['Instructions Section', '69730-0', 'class'],
  ['Medical Equipment Section', '46264-8', 'class'],
  ['Medical General History Section', '11329-0', 'narrative'],
  ['Medications Administered Section', '29549-3', 'class'],
  ['Medications Section', '10160-0', 'class'],
  ['Mental Status Section', '10190-7', 'mental-status-observation'],
  ['Notes Section', '34109-9', 'class'],
  ['Nutrition Section', '61144-2', 'physical-finding-observation'],
  ['Objective Section', '61149-1', 'narrative'],
  ['Operative Note Fluids Section', '10216-0', 'narrative'],
  ['Operative Note Surgical Procedure Section', '10223-6', 'narrative'],
  ['Outcomes Section', '11383-7', 'class'],
  ['Past Medical History', '11348-0', 'problem-observation'],
  ['Payers Section', '48768-6', 'class'],
  ['Physical Exam Section', '29545-1', 'physical-finding-observation'],
  ['Planned Procedure Section', '59772-4', 'class'],
  ['Plan of Treatment Section', '18776-5', 'class'],
  ['Postoperative Diagnosis Section', '10218-6', 'problem-observation'],
  ['Postprocedure Diagnosis Section', '59769-0', 'problem-observation'],
  ['Pregnancy Section', '10162-6', 'social-history-observation'],
  ['Preoperative Diagnosis Section', '10219-4', 'problem-observation'],
  ['Problem Section', '11450-4', 'problem-observation'],
  ['Procedure Description Section', '29554-3', 'narrative'],
  ['Procedure Disposition Section', '59775-7', 'narrative'],
  ['Procedure Estimated Blood Loss Section', '59770-8', 'narrative'],
  ['Procedure Findings Section', '59776-5', 'class'],
  ['Procedure Implants Section', '59771-6', 'narrative'],
  ['Procedure Indications Section', '59768-2', 'problem-observation'],
  ['Procedure Specimens Taken Section', '59773-2', 'narrative'],
  ['Procedures Section', '47519-4', 'class'],
  ['Reason for Referral Section', '42349-1', 'class'],
  ['Reason for Visit Section', '29299-5', 'narrative'],
  ['Results Section', '30954-2', 'result-organizer'],
  ['Review of Systems Section', '10187-3', 'narrative'],
  ['Social History Section', '29762-2', 'social-history-observation'],
  ['Subjective Section', '61150-9', 'narrative'],
  ['Surgical Drains Section', '11537-8', 'narrative'],
  ['Vital Signs Section', '8716-3', 'vital-sign-observation'],
];

/** Document types by template and an example of their LOINC codes. */
const DOCUMENTS: readonly (readonly [name: string, oid: string, loinc: string])[] = [
  ['Care Plan', '2.16.840.1.113883.10.20.22.1.15', '52521-2'],
  ['Consultation Note', '2.16.840.1.113883.10.20.22.1.4', '11488-4'],
  ['Continuity of Care Document', '2.16.840.1.113883.10.20.22.1.2', '34133-9'],
  ['Discharge Summary', '2.16.840.1.113883.10.20.22.1.8', '18842-5'],
  ['History and Physical', '2.16.840.1.113883.10.20.22.1.3', '34117-2'],
  ['Operative Note', '2.16.840.1.113883.10.20.22.1.7', '11504-8'],
  ['Procedure Note', '2.16.840.1.113883.10.20.22.1.6', '28570-0'],
  ['Progress Note', '2.16.840.1.113883.10.20.22.1.9', '11506-3'],
  ['Referral Note', '2.16.840.1.113883.10.20.22.1.14', '57133-1'],
  ['Transfer Summary', '2.16.840.1.113883.10.20.22.1.13', '18761-7'],
  ['Diagnostic Imaging Report', '2.16.840.1.113883.10.20.22.1.5', '18748-4'],
  ['US Realm Header', '2.16.840.1.113883.10.20.22.1.1', '34133-9'],
  ['Patient Generated Document', '2.16.840.1.113883.10.20.29.1', '51855-5'],
  ['Unstructured Document', '2.16.840.1.113883.10.20.22.1.10', '34133-9'],
];

/** The conditions of all rows, inner ones included. */
function textOf(rows: readonly Row[]): string {
  return rows.map(([from, , , detail]) => `${from} ${typeof detail === 'object' ? textOf(detail) : ''}`).join('\n');
}

const FOLDED = [...TABLES.map(({ rows }) => textOf(rows)), textOf(SPECIMEN_COLLECTION)].join('\n');
const names = (text: string, oid: string): boolean => new RegExp(`${oid.replaceAll('.', '\\.')}(?![.\\d])`).test(text);

function statement(kind: string, mood: string, oid: string): XmlElement {
  const parsed = parseXml(`<${kind} moodCode="${mood}"><templateId root="${oid}"/><product/></${kind}>`);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.document.root;
}

describe('templates of entries', () => {
  it.each([...ENTRIES, ...FORMER])('%s (%s): %s', (oid, written, becomes) => {
    const [kind = '', mood = ''] = written.split(' ');
    const element = statement(kind, mood, oid);
    if (becomes === 'folded') expect(names(FOLDED, oid)).toBe(true);
    else if (becomes === 'device') expect(oid === UDI_ORGANIZER || names(textOf(UDI), oid)).toBe(true);
    else if (becomes === 'note') expect(isComment(element)).toBe(true);
    else if (becomes === 'pointer') expect(isEntryReference(element)).toBe(true);
    else if (becomes === 'wrapper') expect(isWrapper(element)).toBe(true);
    else if (becomes === 'element') expect(`${FOLDED} ${textOf(EXTERNAL_DOCUMENT)}`).toContain(kind);
    else if (becomes !== 'kept') {
      expect(isWrapper(element)).toBe(false);
      expect(chooseTable(element, undefined).name).toBe(becomes);
    }
  });

  it('lists each once, and all of the specification', () => {
    const oids = ENTRIES.map(([oid]) => oid);
    expect(new Set(oids).size).toBe(141);
    expect(oids).toHaveLength(141);
    expect(ENTRIES.filter(([, , becomes]) => becomes === 'kept').map(([oid]) => oid)).toEqual([`${C}24`]);
  });
});

describe('sections', () => {
  it.each(SECTIONS)('%s (%s): %s', (_name, loinc, entries) => {
    const [composition] = ofType(convert(documentOf(sectionOf(loinc, ''))), 'Composition');
    expect(composition?.section?.[0]?.code?.coding?.[0]?.code).toBe(loinc);
    expect(composition?.section?.[0]?.text?.div).toContain('<p>As told.</p>');
    const chosen = TABLES.filter((table) => table.sections?.includes(loinc)).map(({ name }) => name);
    expect(chosen.length === 0 ? ['class', 'narrative'] : chosen).toContain(entries);
  });

  it('lists all of the specification', () => expect(SECTIONS).toHaveLength(66));
});

describe('document types', () => {
  it.each(DOCUMENTS)('%s (%s)', (_name, oid, loinc) => {
    const xml = documentOf(sectionOf('11450-4', '')).replace(
      '<code code="34133-9"',
      `<templateId root="${oid}"/><code code="${loinc}"`,
    );
    const [composition] = ofType(convert(xml), 'Composition');
    expect(composition?.type.coding?.[0]).toMatchObject({ system: 'http://loinc.org', code: loinc });
    const [original] = ofType(convert(xml), 'DocumentReference');
    expect(original?.type?.coding?.[0]?.code).toBe(loinc);
  });
});
