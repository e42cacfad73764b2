/** OBX: one observation, its value by OBX-2, its status by OBX-11; or the content of a document after TXA. */
import { Cell } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { readConcept, shiftCodings } from '../datatypes/coded.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { readOrganization } from '../datatypes/party.ts';
import { readText } from '../datatypes/primitive.ts';
import { addUnits } from '../datatypes/quantity.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceRepetition, SourceSegment } from '../source.ts';
import { OBX } from '../tables/results.ts';
import { lookup } from '../vocabularies.ts';
import { addContent } from './document.ts';
import { readValue } from './observation-value.ts';
import { cellOf } from './patient.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';
import { isNumber, subId } from './sub-id.ts';

const obxRows = compileRows(OBX);
const V2_STATUS = 'http://terminology.hl7.org/CodeSystem/v2-0085';

export const obx: SegmentHandler = (segment, state) => {
  if (state.document !== undefined) return addContent(segment, state);
  const run = state.run;
  const draft = observationDraft(segment, state);
  state.noted = { draft, element: 'note' };
  state.participated = draft;
  obxRows(segment, draft, run);
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  draft.require('code', absentConcept());
  subId(segment, draft, run);
  setStatus(segment, draft, state);
  setValue(segment, draft, run);
  referenceRange(segment, draft, run);
  performingOrganization(segment, draft, run);
  category(segment, draft, state);
  belongs(draft, state);
};

function observationDraft(segment: SourceSegment, state: State): Draft {
  const run = state.run;
  const code = peek(segment, 3) ?? peek(segment, 3, 4) ?? peek(segment, 3, 2) ?? '';
  const sub = peek(segment, 4) ?? '';
  const context =
    state.report !== undefined || state.request !== undefined
      ? state.orderKey
      : [
          'patient',
          patientOf(state).id,
          state.encounter?.id ?? '',
          state.immunization?.id ?? '',
          peek(segment, 14) ?? run.context.messageUri,
        ];
  const identity = [...context, code, sub];
  const times = run.repeat('Observation', ...identity);
  const unique = times === 1 ? identity : [...identity, `#${times}`];
  const draft = run.draft('Observation', 'replace', ...unique);
  if (state.report !== undefined && state.reportAsOf !== undefined) draft.asOf = state.reportAsOf;
  return draft;
}

/** OBX-11; a report withdrawn as a whole (OBR-25 X) withdraws what it holds. */
function setStatus(segment: SourceSegment, draft: Draft, state: State): void {
  const cell = cellOf(segment, 11, state.run);
  const code = cell?.peek(1);
  const status = lookup('observationStatus', code);
  if (status === undefined) draft.resource.status = state.code === 'ORU' || state.code === 'OUL' ? 'unknown' : 'final';
  else {
    draft.resource.status = status;
    cell?.at({ draft, base: 'status' }).text('', 1);
  }
  if (state.reportWithdrawn && status !== 'entered-in-error') draft.resource.status = 'cancelled';
  if (code === 'W' || code === 'N') {
    draft.resource._status = {
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/alternate-codes',
          valueCodeableConcept: { coding: [{ system: V2_STATUS, code }] },
        },
      ],
    };
  }
}

/** OBX-5 as OBX-2 says; what does not fit its type is kept as text, never dropped. */
function setValue(segment: SourceSegment, draft: Draft, run: Run): void {
  const typeCell = cellOf(segment, 2, run);
  const type = typeCell?.peek(1)?.toUpperCase();
  typeCell?.used(1);
  const field = segment.fields[5];
  const first = field?.[0];
  if (field === undefined || first === undefined) {
    noValue(segment, draft);
    return;
  }
  const cell = new Cell(first, run, 'OBX-5', { draft, base: '' });
  const units = cellOf(segment, 6, run)?.at({ draft, base: '' });
  if (field.length > 1) {
    severalValues(segment, draft, run, type, units);
    return;
  }
  const value = readValue(cell, type, units);
  if (value === undefined) {
    noValue(segment, draft);
    return;
  }
  draft.resource[value.name] = value.value;
}

/** Several repetitions: coded ones as codings of one concept, anything else as lines of text. */
function severalValues(
  segment: SourceSegment,
  draft: Draft,
  run: Run,
  type: string | undefined,
  units: Cell | undefined,
): void {
  const repetitions = segment.fields[5]!.filter((repetition) => repetition !== undefined);
  const coded = type === 'CE' || type === 'CWE' || type === 'CNE';
  if (coded) {
    const coding: Element[] = [];
    for (const repetition of repetitions) {
      const concept = readConcept(new Cell(repetition, run, 'OBX-5', { draft, base: 'valueCodeableConcept' }));
      shiftCodings(repetition, coding.length);
      if (concept?.coding !== undefined) coding.push(...(concept.coding as Element[]));
      if (concept?.text !== undefined) coding.push({ display: concept.text });
    }
    if (coding.length > 0) draft.resource.valueCodeableConcept = { coding };
    return;
  }
  const areNumbers = repetitions.every((repetition) => repetition.length === 2 && isNumber(repetition[1]?.[1]?.clean));
  if (type === 'NM' && areNumbers) {
    severalNumbers(repetitions, draft, run, units);
    return;
  }
  let text: string | undefined;
  const separator = type === 'TX' || type === 'FT' ? '\n' : '; ';
  for (const repetition of repetitions) {
    const cell = new Cell(repetition, run, 'OBX-5', { draft, base: 'valueString' });
    const line = readText(cell);
    if (line === undefined) continue;
    const before = text === undefined ? '' : text + separator;
    cell.shift(before.length);
    text = before + line;
  }
  if (text === undefined) {
    noValue(segment, draft);
    return;
  }
  const unit = units?.textPart('valueString', text.length + 1, 1);
  if (/^(ISO\+?|ANSI\+?|UCUM)$/i.test(units?.peek(3) ?? '')) units?.used(3);
  draft.resource.valueString = unit === undefined ? text : `${text} ${unit}`;
}

/** Several numbers: a component for each, of the observation's own code. */
function severalNumbers(repetitions: SourceRepetition[], draft: Draft, run: Run, units: Cell | undefined): void {
  draft.resource.component = repetitions.map((repetition, index) => {
    const base = `component[${index}].valueQuantity`;
    const quantity: Element = {
      value: new Cell(repetition, run, 'OBX-5', { draft, base }).number('value', 1),
    };
    if (units !== undefined) addUnits(quantity, units.at({ draft, base }), '');
    return { code: draft.resource.code, valueQuantity: quantity };
  });
}

/** A final result without a value says so, as FHIR asks. */
function noValue(segment: SourceSegment, draft: Draft): void {
  const absent = peek(segment, 11) === 'N' ? 'not-asked' : 'unknown';
  if (
    draft.resource.extension !== undefined &&
    (draft.resource.extension as Element[]).some((item) => item.valueAttachment !== undefined)
  )
    return;
  draft.resource.dataAbsentReason = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: absent }],
  };
}

/** OBX-7: the text as written, and low and high when it reads as two numbers or a bound. */
function referenceRange(segment: SourceSegment, draft: Draft, run: Run): void {
  const cell = cellOf(segment, 7, run)?.at({ draft, base: 'referenceRange[0]' });
  if (cell === undefined) return;
  const text = readText(cell.at({ draft, base: 'referenceRange[0].text' }));
  if (text === undefined) return;
  const range: Element = {};
  const quantity = draft.resource.valueQuantity as Element | undefined;
  const bound = (value: string): Element => {
    const made: Element = { value: Number(value) };
    for (const name of ['unit', 'system', 'code']) if (quantity?.[name] !== undefined) made[name] = quantity[name];
    return made;
  };
  const both = /^([+-]?\d+(?:\.\d+)?)\s*(?:-|to|–)\s*([+-]?\d+(?:\.\d+)?)$/i.exec(text);
  const one = /^(<=?|>=?)\s*([+-]?\d+(?:\.\d+)?)$/.exec(text);
  if (both !== null) {
    range.low = bound(both[1]!);
    range.high = bound(both[2]!);
  } else if (one !== null) range[one[1]!.startsWith('<') ? 'high' : 'low'] = bound(one[2]!);
  range.text = text;
  draft.resource.referenceRange = [range];
}

/** OBX-23 with its address, OBX-24. */
function performingOrganization(segment: SourceSegment, draft: Draft, run: Run): void {
  const cell = cellOf(segment, 23, run);
  const reference = cell === undefined ? undefined : readOrganization(cell);
  if (reference === undefined) return;
  draft.append('performer', reference);
  const organization = run.referred(reference.reference);
  const address = cellOf(segment, 24, run);
  if (organization === undefined || address === undefined) return;
  const place = { draft: organization, base: '' };
  const read = readAddress(address.at(place));
  if (read !== undefined) place.base = `address[${organization.append('address', read)}]`;
}

/**
 * OBX-29 as v2-0936; and `laboratory` when that is certain: the report is of a laboratory section (OBR-24), or the
 * message is one that only laboratories send (OUL).
 */
function category(segment: SourceSegment, draft: Draft, state: State): void {
  const cell = cellOf(segment, 29, state.run)?.at({ draft, base: 'category[0].coding[0].code' });
  const kind = cell?.text('', 1);
  if (kind !== undefined)
    draft.append('category', { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0936', code: kind }] });
  if (state.report === undefined || !(state.code === 'OUL' || isLaboratory(state.report))) return;
  draft.append('category', {
    coding: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/observation-category',
        code: 'laboratory',
        display: 'Laboratory',
      },
    ],
  });
}

/** Sections of HL7 table 0074 that are of a laboratory. */
const LABORATORY = new Set([
  'LAB',
  'CH',
  'HM',
  'MB',
  'BLB',
  'IMM',
  'UR',
  'TX',
  'SR',
  'VR',
  'MCB',
  'MYC',
  'GE',
  'BG',
  'MCS',
]);

function isLaboratory(report: Draft): boolean {
  const categories = (report.resource.category as Element[] | undefined) ?? [];
  return categories.some((item) =>
    ((item.coding as Element[] | undefined) ?? []).some(
      ({ system, code }) => String(system).endsWith('v2-0074') && LABORATORY.has(String(code)),
    ),
  );
}

function belongs(draft: Draft, state: State): void {
  if (state.report !== undefined) {
    state.report.append('result', draft.reference);
    if (state.specimen !== undefined) draft.resource.specimen = state.specimen.reference;
    if (draft.resource.effectiveDateTime === undefined && state.report.resource.effectiveDateTime !== undefined) {
      draft.resource.effectiveDateTime = state.report.resource.effectiveDateTime;
    }
    if (state.report.resource.issued !== undefined) draft.resource.issued = state.report.resource.issued;
    return;
  }
  if (state.request !== undefined) state.request.append('supportingInfo', draft.reference);
  if (state.immunization !== undefined) draft.resource.partOf = [state.immunization.reference];
}
