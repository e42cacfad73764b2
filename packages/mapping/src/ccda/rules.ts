/**
 * What the rows of a table cannot say: denials, and statuses that several elements decide together. The rule above
 * all: a denied allergy, problem, medication or immunization never reads as one that is there.
 */
import type { XmlElement } from '@causeway/ccda';
import { allergy, condition } from './assertion-rules.ts';
import { firstCode, hasText, snomed, TERMINOLOGY, textOf } from './concepts.ts';
import { absentReason, codeableConcept } from './data-types.ts';
import type { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { elementDiv } from './narrative.ts';
import { isNegated, isNullified, replaceValue } from './negation.ts';
import { specimen } from './participants.ts';
import { dataAbsent } from './quantities.ts';
import type { Run } from './run.ts';
import type { Surrounding } from './statements.ts';

export interface Statement {
  run: Run;
  element: XmlElement;
  draft: Draft;
  around: Surrounding;
}

export type RuleName = keyof typeof RULES;

export const RULES = {
  allergy,
  condition,
  immunization,
  medicationRequest,
  medicationStatement,
  dispense,
  deviceRequest,
  deviceUse,
  report,
  goal,
  serviceRequest,
  observation,
  media,
  familyHistory,
  coverage,
  procedure,
  encounter,
  note,
} satisfies Record<string, (statement: Statement) => void>;

function immunization({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) resource.status = 'not-done';
  else if (resource.status === 'not-done') run.account.consumed(element.child('statusCode')!, 'code');
  if (isNullified(run, element, around)) resource.status = 'entered-in-error';
  const performers = (resource.performer as Json[] | undefined) ?? [];
  for (const performer of performers) {
    performer.function = { coding: [{ system: `${TERMINOLOGY}v2-0443`, code: 'AP' }] };
  }
  for (const observation of element.all('entryRelationship').flatMap((one) => one.all('observation'))) {
    const code = observation.child('code');
    if (code?.attr('code') === '71798-3') run.account.consumeBelow(code, 'the reason is the value');
  }
  doseInSeries(run, element, draft);
  for (const detail of (resource.protocolApplied as Json[] | undefined) ?? []) detail.doseNumberPositiveInt ??= 1;
}

/** Substance Administered Act: the number of the relationship is that of the dose in its series. */
function doseInSeries(run: Run, element: XmlElement, draft: Draft): void {
  for (const relationship of element.all('entryRelationship')) {
    if (!relationship.child('act')?.hasTemplate('2.16.840.1.113883.10.20.22.4.118')) continue;
    const number = relationship.child('sequenceNumber');
    const value = Number(number?.attr('value'));
    if (number === undefined || !Number.isInteger(value) || value < 1 || draft.resource.protocolApplied) continue;
    draft.resource.protocolApplied = [{ doseNumberPositiveInt: value }];
    run.account.mapped(number, 'value', draft, 'protocolApplied[0].doseNumberPositiveInt');
  }
}

function medicationRequest({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (element.attr('moodCode') === 'PRP') resource.intent = 'proposal';
  if (isNegated(run, element, around)) resource.doNotPerform = true;
  asNeeded(element, resource.dosageInstruction);
  if (isNullified(run, element, around)) resource.status = 'entered-in-error';
}

function medicationStatement({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) {
    resource.status = 'not-taken';
    if (firstCode(resource.medicationCodeableConcept) === undefined && !hasText(resource.medicationCodeableConcept)) {
      resource.medicationCodeableConcept = snomed('787481004');
      resource.status = 'unknown';
    }
  }
  asNeeded(element, resource.dosage);
  if (isNullified(run, element, around)) resource.status = 'entered-in-error';
}

/** A precondition without a code still says "when needed". */
function asNeeded(element: XmlElement, dosage: unknown): void {
  const first = (dosage as Json[] | undefined)?.[0];
  if (element.child('precondition') === undefined || first === undefined) return;
  if (first.asNeededCodeableConcept === undefined) first.asNeededBoolean = true;
}

function dispense({ run, element, draft, around }: Statement): void {
  if (isNegated(run, element, around)) draft.resource.status = 'declined';
}

function deviceRequest({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) resource.status = 'revoked';
  if (resource.codeReference !== undefined) delete resource.codeCodeableConcept;
  else resource.codeCodeableConcept ??= { extension: [absentReason('UNK')] };
}

function deviceUse({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  resource.status ??= 'active';
  if (isNegated(run, element, around)) resource.status = 'entered-in-error';
  if (resource.device !== undefined) return;
  const product = element.find('product', 'manufacturedProduct', 'manufacturedMaterial', 'code');
  const own = element.child('code');
  const device = run.draft('Device', [run.patientIdentity, draft.key, 'device']);
  device.resource.patient = run.referenceTo(run.patient);
  const concept = (product ?? own) && codeableConcept(run, (product ?? own)!, { draft: device, path: 'type' });
  device.resource.type = concept ?? { extension: [absentReason('UNK')] };
  resource.device = run.referenceTo(run.admit(device, element));
}

function report({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  resource.category = [{ coding: [{ system: `${TERMINOLOGY}v2-0074`, code: 'LAB' }] }];
  if (isNegated(run, element, around)) resource.status = 'cancelled';
}

function goal({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) resource.lifecycleStatus = 'rejected';
  const target = (resource.target as Json[] | undefined)?.[0];
  if (target === undefined) return;
  const measured = Object.keys(target).some((name) => name.startsWith('detail'));
  if (measured) target.measure ??= structuredClone(resource.description);
}

function serviceRequest({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) resource.doNotPerform = true;
  const mood = element.attr('moodCode');
  if (mood === 'RQO') resource.intent = 'order';
  else if (mood === 'PRP') resource.intent = 'proposal';
}

/** A denied observation keeps its question; the finding denied stands as a component that is absent. */
function observation({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  const asked = resource.code ?? { extension: [absentReason('UNK')] };
  for (const one of (resource.component as Json[] | undefined) ?? []) one.code ??= structuredClone(asked);
  const value = element.child('value');
  const name = Object.keys(resource).find((key) => key.startsWith('value'));
  if (isNegated(run, element, around)) {
    if (name === undefined) resource.status = 'cancelled';
    else {
      const denied = resource[name];
      delete resource[name];
      const finding = name === 'valueCodeableConcept' ? (denied as Json) : { text: String(textOf(denied)) };
      draft.move(name, 'component[0].code');
      resource.component = [{ code: finding, valueCodeableConcept: snomed('2667000') }];
    }
    return;
  }
  const flavor = value?.attr('nullFlavor');
  if (
    name === 'valueCodeableConcept' &&
    firstCode(resource[name]) === undefined &&
    !hasText(resource[name]) &&
    flavor
  ) {
    delete resource[name];
    resource.dataAbsentReason = dataAbsent(flavor);
  } else if (name === undefined && value !== undefined && flavor !== undefined) {
    run.account.consumed(value, 'nullFlavor', 'dataAbsentReason');
    resource.dataAbsentReason = dataAbsent(flavor);
  }
}

function media({ element, draft }: Statement): void {
  const { resource } = draft;
  resource.status = 'completed';
  const mediaType = element.child('value')?.attr('mediaType');
  resource.content ??= {};
  const content = resource.content as Json;
  if (mediaType !== undefined) content.contentType = mediaType;
  content.title ??= 'media in the original document';
}

function familyHistory({ run, element, draft }: Statement): void {
  const { resource } = draft;
  if (resource.deceasedDate !== undefined && resource.deceasedBoolean !== undefined) {
    delete resource.deceasedBoolean;
    const told = element.find('subject', 'relatedSubject', 'subject', 'sdtc:deceasedInd');
    if (told !== undefined) replaceValue(run, told, 'deceasedDate says it');
  }
  resource.status = 'completed';
  const status = element.child('statusCode');
  if (status?.attr('code') === 'completed') run.account.consumed(status, 'code', 'family history: completed');
  for (const one of (resource.condition as Json[] | undefined) ?? []) one.code ??= { extension: [absentReason('UNK')] };
}

function coverage({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  const order = element.parent?.child('sequenceNumber');
  const position = Number(order?.attr('value'));
  if (order !== undefined && Number.isInteger(position) && position > 0) {
    resource.order = position;
    run.account.mapped(order, 'value', draft, 'order');
  }
  for (const one of (resource.class as Json[] | undefined) ?? []) {
    one.type = { coding: [{ system: `${TERMINOLOGY}coverage-class`, code: 'plan' }] };
    one.value ??= one.name;
  }
  if (isNegated(run, element, around)) resource.status = 'cancelled';
  delete resource.subject;
  resource.payor ??= [{ extension: [absentReason('UNK')] }];
  const subscriber = (resource.identifier as Json[] | undefined)?.at(-1)?.value;
  if (typeof subscriber === 'string') resource.subscriberId ??= subscriber;
  resource.beneficiary ??= run.referenceTo(run.patient);
}

const COLLECTED_BY = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.collection.procedure';

function procedure({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  for (const taken of element.all('specimen')) {
    const held = specimen(run, taken);
    const by = { url: COLLECTED_BY, valueReference: run.referenceTo(draft) };
    if (held?.resource.collection === undefined) held?.put('collection.extension[]', by);
  }
  if (isNegated(run, element, around)) resource.status = 'not-done';
}

function encounter({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  resource.class ??= encounterClass(element);
  const mood = element.attr('moodCode') ?? 'EVN';
  if (resource.status === undefined && mood === 'EVN') {
    resource.status = resource.period === undefined ? 'unknown' : 'finished';
  }
  if (mood !== 'EVN') resource.status = 'planned';
  if (isNegated(run, element, around)) resource.status = 'cancelled';
}

/** The v3 ActCode class where the encounter's code or a translation is one; unknown otherwise. */
function encounterClass(element: XmlElement): Json {
  const code = element.child('code');
  for (const one of code === undefined ? [] : [code, ...code.all('translation')]) {
    const value = one.attr('code');
    if (one.attr('codeSystem') === '2.16.840.1.113883.5.4' && value !== undefined) {
      return { system: `${TERMINOLOGY}v3-ActCode`, code: value };
    }
  }
  return { extension: [absentReason('UNK')] };
}

function note({ run, draft, element }: Statement): void {
  const { resource } = draft;
  resource.status = isNullified(run, element, {}) ? 'entered-in-error' : 'current';
  resource.category = [
    {
      coding: [
        { system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category', code: 'clinical-note' },
      ],
    },
  ];
  resource.content = [{ attachment: noteContent(run, element, draft) }];
}

/** The note itself: what it carries in base64, else its part of the narrative, else its words. */
function noteContent(run: Run, element: XmlElement, draft: Draft): Json {
  const words = element.child('text');
  const path = 'content[0].attachment';
  const mediaType = words?.attr('mediaType');
  if (words !== undefined && mediaType !== undefined && words.attr('representation') === 'B64' && words.text !== '') {
    run.account.mapped(words, 'mediaType', draft, `${path}.contentType`);
    run.account.mapped(words, '#text', draft, `${path}.data`);
    run.account.consumed(words, 'representation', 'note: base64 as in FHIR');
    return { contentType: mediaType, data: words.text.replace(/\s+/g, '') };
  }
  const reference = words?.child('reference');
  const target = reference?.attr('value');
  const told = target === undefined ? undefined : run.narrative(target);
  if (reference !== undefined && told !== undefined) {
    run.account.consumed(reference, 'value', 'note: its part of the narrative');
    return { contentType: 'application/xhtml+xml', data: base64(elementDiv(told)) };
  }
  if (reference !== undefined && target?.startsWith('#')) {
    run.account.mapped(reference, 'value', draft, `${path}.url`);
    return { contentType: 'text/xml', url: `${run.context.messageUri}${target}` };
  }
  if (words !== undefined && words.text !== '') {
    run.account.mapped(words, '#text', draft, `${path}.data`);
    return { contentType: 'text/plain; charset=utf-8', data: base64(words.text) };
  }
  return { contentType: 'text/xml', url: run.context.messageUri };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
