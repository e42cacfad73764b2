/** Observations whatever their kind: what all templates have in common, and the plain form for those of none. */
import type { Device, Observation, ObservationReferenceRange, Reference, Specimen } from '@medplum/fhirtypes';
import { anyValue, choice, periodWords, wordsOf } from './any-value.ts';
import { backwards, nullFlavor } from './codes.ts';
import { type CdaElement, type Child, el } from './element.ts';
import { externalDocuments } from './external-documents.ts';
import { notes } from './notes-within.ts';
import { authors, performer, product } from './participants.ts';
import { putBack } from './put-back.ts';
import { related, statement, statusCode } from './statement.ts';
import { absentFlavor, code, hasCode, ids, nameOf, period, range, time } from './values.ts';
import type { Writer } from './writer.ts';

export interface ObservationForm {
  templates?: Child;
  /** Instead of the observation's own code, which becomes a translation. */
  code?: CdaElement;
  /** Where C-CDA wants `completed` whatever the state. */
  completed?: boolean;
  /** The value, where the template restricts it. */
  value?: CdaElement;
  text?: Child;
  effectiveTime?: CdaElement;
  /** Null flavor of the value where there is none; no value at all without it. */
  noValue?: string;
  more?: Child;
  moodCode?: string;
}

/** SNOMED CT's "absent": the reader of C-CDA puts denied findings so. */
const ABSENT = '2667000';

/** An observation in a form; what hangs on it is nested in it. */
export function observation(writer: Writer, resource: Observation, form: ObservationForm = {}): CdaElement {
  writer.take(resource);
  const denied = deniedFinding(resource);
  const value = form.value ?? findingOf(resource, denied, form.noValue);
  const element = statement(
    'observation',
    { classCode: 'OBS', moodCode: form.moodCode ?? 'EVN', negationInd: denied === undefined ? undefined : true },
    form.templates,
    ids(resource),
    form.code ?? code('code', resource.code),
    form.text,
    form.templates === undefined && resource.status === 'unknown'
      ? undefined
      : statusCode(form.completed ? 'completed' : statusOf(resource)),
    form.effectiveTime ?? timeOf(resource),
    value,
    (resource.interpretation ?? []).map((one) => interpretation(one)),
    resource.method && code('methodCode', resource.method),
    resource.bodySite && code('targetSiteCode', resource.bodySite),
    specimen(writer, resource.specimen, resource),
    (resource.performer ?? []).map((who) => performer(writer, who, resource)),
    authors(writer, resource),
    deviceOf(writer, resource),
    (resource.referenceRange ?? []).map(referenceRange),
    notes(resource.note, writer),
    form.more,
    externalDocuments(writer, resource),
    denied === undefined && components(resource),
    nested(writer, resource),
  );
  return putBack(element, resource);
}

/** Statements that only make sense under a resource, as its entry relationships. */
export function nested(writer: Writer, holder: Parameters<Writer['take']>[0]): Child {
  return writer.chart
    .childrenOf(holder)
    .map(
      (child) =>
        child.resourceType === 'Observation' && !writer.isTaken(child) && related('REFR', observation(writer, child)),
    );
}

/** The finding that is said to be absent, where that is all the observation says. */
export function deniedFinding({ component = [], ...rest }: Observation): Observation['code'] | undefined {
  const [only] = component;
  if (only === undefined || component.length > 1 || choice(rest, 'value') !== undefined) return undefined;
  return hasCode(only.valueCodeableConcept, ABSENT) ? only.code : undefined;
}

function findingOf(
  resource: Observation,
  denied: Observation['code'] | undefined,
  none?: string,
): CdaElement | undefined {
  if (denied !== undefined) return code('value', denied, { type: 'CD' });
  const value = choice(resource, 'value');
  const made = value && anyValue(value);
  if (made !== undefined) return made;
  const flavor =
    nullFlavor(resource.dataAbsentReason?.coding?.[0]?.code) ?? absentFlavor(resource.dataAbsentReason) ?? none;
  return flavor === undefined ? undefined : el('value', { 'xsi:type': 'CD', nullFlavor: flavor });
}

/** Each component as an observation of its own beneath. */
function components(resource: Observation): Child {
  return (resource.component ?? []).map((part) => {
    const value = choice(part, 'value');
    return related(
      'COMP',
      statement(
        'observation',
        { classCode: 'OBS', moodCode: 'EVN' },
        el('id', { nullFlavor: 'NI' }),
        code('code', part.code),
        statusCode(statusOf(resource)),
        timeOf(resource),
        (value && anyValue(value)) ??
          el('value', { 'xsi:type': 'CD', nullFlavor: nullFlavor(part.dataAbsentReason?.coding?.[0]?.code) ?? 'UNK' }),
        (part.interpretation ?? []).map((one) => interpretation(one)),
        (part.referenceRange ?? []).map(referenceRange),
      ),
    );
  });
}

const INTERPRETATIONS = new Set('B D U W < > A AA HH LL H L N I MS R S VS'.split(' '));

/** One of the schema's interpretations, or a translation of none of them. */
export function interpretation(concept: NonNullable<Observation['interpretation']>[number]): CdaElement {
  return code('interpretationCode', concept, {
    prefer: ['http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation'],
    allowed: (coding) => INTERPRETATIONS.has(coding.code ?? ''),
  });
}

export function timeOf(resource: Observation): CdaElement {
  const { effectivePeriod, effectiveDateTime, effectiveInstant } = resource;
  if (effectivePeriod !== undefined) return period('effectiveTime', effectivePeriod);
  return time(
    'effectiveTime',
    effectiveDateTime ?? effectiveInstant,
    absentFlavor((resource as { _effectiveDateTime?: unknown })._effectiveDateTime),
  );
}

/** When an observation holds, as its first moment. */
export function momentOf({
  effectiveDateTime,
  effectiveInstant,
  effectivePeriod,
  issued,
}: Observation): string | undefined {
  return effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.start ?? issued;
}

export function timeWords(resource: Observation): string {
  const { effectivePeriod } = resource;
  if (effectivePeriod !== undefined) return periodWords(effectivePeriod.start, effectivePeriod.end);
  return momentOf(resource)?.replace('T', ' ').slice(0, 16) ?? '';
}

export function valueWords(resource: Observation): string {
  const denied = deniedFinding(resource);
  if (denied !== undefined) return `not: ${nameOf(denied) ?? ''}`;
  const value = choice(resource, 'value');
  if (value !== undefined) return wordsOf(value);
  const parts = (resource.component ?? []).map((part) => {
    const one = choice(part, 'value');
    return `${nameOf(part.code) ?? ''}: ${one === undefined ? 'unknown' : wordsOf(one)}`;
  });
  if (parts.length > 0) return parts.join('; ');
  return nameOf(resource.dataAbsentReason) ?? '';
}

/** ActStatus for an observation's status, as results have it. */
export function statusOf({ status }: { status?: string }): string {
  if (status === 'amended' || status === 'corrected' || status === 'appended') return 'completed';
  if (status === 'preliminary' || status === 'partial' || status === 'registered') return 'active';
  if (status === 'cancelled') return 'cancelled';
  return backwards('resultStatus', status) ?? 'completed';
}

function referenceRange(one: ObservationReferenceRange): CdaElement {
  const { low, high, text } = one;
  const [applies] = one.appliesTo ?? [];
  const bounds =
    low === undefined && high === undefined ? undefined : range('value', { low, high }, { 'xsi:type': 'IVL_PQ' });
  return el(
    'referenceRange',
    {},
    el(
      'observationRange',
      {},
      applies && code('code', applies),
      text !== undefined && el('text', {}, text),
      bounds ??
        (text === undefined
          ? el('value', { 'xsi:type': 'IVL_PQ', nullFlavor: 'UNK' })
          : el('value', { 'xsi:type': 'ST' }, text)),
      one.type && code('interpretationCode', one.type),
    ),
  );
}

export function specimen(
  writer: Writer,
  reference: Reference | undefined,
  holder: Observation,
): CdaElement | undefined {
  const found = writer.chart.find<Specimen>(reference, holder);
  return found && specimenRole(found);
}

export function specimenRole(specimen: Specimen): CdaElement {
  const words = specimen.note?.[0]?.text;
  return el(
    'specimen',
    {},
    el(
      'specimenRole',
      {},
      ids(specimen),
      el('specimenPlayingEntity', {}, code('code', specimen.type), words !== undefined && el('desc', {}, words)),
    ),
  );
}

function deviceOf(writer: Writer, resource: Observation): CdaElement | undefined {
  if (resource.device === undefined) return undefined;
  const device = writer.chart.find<Device>(resource.device, resource);
  if (device !== undefined) writer.take(device);
  return el('participant', { typeCode: 'DEV' }, product(writer, device, resource.device.display));
}
