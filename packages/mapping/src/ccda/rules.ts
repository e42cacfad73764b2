/**
 * What the rows of a table cannot say: denials, and statuses that several elements decide together. The rule above
 * all: a denied allergy, problem, medication or immunization never reads as one that is there.
 */
import type { XmlElement } from '@causeway/ccda';
import { translate } from './concept-maps.ts';
import { absentReason, codeableConcept, dateTime } from './data-types.ts';
import type { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { isDenied, NEGATION_ATTRIBUTES } from './negation.ts';
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

const SNOMED = 'http://snomed.info/sct';
const CLINICAL = 'http://terminology.hl7.org/CodeSystem/';
const ANY_PROBLEM = new Set(['55607006', '64572001', '404684003', '248536006']);
const NO_KNOWN_PROBLEM = new Set(['160245001', '396782006']);

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

function allergy(statement: Statement): void {
  const { run, element, draft, around } = statement;
  const { resource } = draft;
  const value = element.child('value');
  const agent = firstCode(resource.code);
  const saysNone = agent !== undefined && translate('noKnownAllergyCode', agent) !== undefined;
  const valueCode = value?.attr('code');
  const valueSaysNone = valueCode !== undefined && translate('noKnownAllergyCode', valueCode) !== undefined;
  if (
    value !== undefined &&
    (valueSaysNone || (agent === undefined && resource.type === undefined && resource.category === undefined))
  ) {
    const concept = codeableConcept(run, value, { draft, path: 'code' });
    if (concept !== undefined && (valueSaysNone || !hasText(resource.code))) resource.code = concept;
  }
  const denied = isNegated(run, element, around);
  let verification = 'confirmed';
  if (denied && !saysNone && !valueSaysNone) {
    const none = noKnown(resource, valueCode, agent);
    if (none === undefined) verification = 'refuted';
    else {
      for (const role of element.all('participant')) replaceValue(run, role, 'no known allergy');
      if (value !== undefined) replaceValue(run, value, 'no known allergy');
      resource.code = none;
    }
  }
  if (resource.code === undefined) resource.code = { extension: [absentReason(nullFlavorOf(value) ?? 'UNK')] };
  completeReactions(statement);
  const error = isNullified(run, element, around);
  if (error) verification = 'entered-in-error';
  else if (element.child('statusCode')?.attr('code') === 'cancelled') verification = 'unconfirmed';
  resource.verificationStatus = status('allergyintolerance-verification', verification);
  const clinical = clinicalStatus(statement, 'resolved');
  if (error) delete resource.clinicalStatus;
  else
    resource.clinicalStatus = status('allergyintolerance-clinical', verification === 'refuted' ? 'inactive' : clinical);
  recordedBy(statement);
}

/** A reaction needs a manifestation; and some senders label the substance with the words of the reaction. */
function completeReactions({ run, element, draft }: Statement): void {
  const code = draft.resource.code as Json;
  for (const reaction of (draft.resource.reaction as Json[] | undefined) ?? []) {
    const [first] = (reaction.manifestation as Json[] | undefined) ?? [];
    if (firstCode(first) === undefined && !hasText(first)) {
      const words = reaction.description;
      reaction.manifestation = [words === undefined ? { extension: [absentReason('UNK')] } : { text: words }];
    }
    if (code.text === undefined || code.text !== reaction.description || firstCode(code) === undefined) continue;
    delete code.text;
    run.issue(
      'warning',
      'business-rule',
      element,
      'the substance is labelled with the text of a reaction; its code counts',
    );
  }
}

/** The "no known allergy" code for a denial of the whole kind; undefined when one substance is denied. */
function noKnown(resource: Json, valueCode: string | undefined, agent: string | undefined): Json | undefined {
  if (agent !== undefined) {
    const none = translate('noKnownAllergy', agent);
    return none === undefined ? undefined : snomed(none);
  }
  const text = (resource.code as Json | undefined)?.text;
  const kind = valueCode === undefined ? undefined : translate('noKnownAllergy', valueCode);
  if (typeof text === 'string' && text !== '') {
    return /^(no|none|nil|nka|nkda|nkma|not? known|denies)\b/i.test(text)
      ? { ...snomed(kind ?? '716186003'), text }
      : undefined;
  }
  return snomed(kind ?? '716186003');
}

function condition(statement: Statement): void {
  const { run, element, draft, around } = statement;
  const { resource } = draft;
  const code = firstCode(resource.code);
  const denied = isNegated(run, element, around);
  let verification = 'confirmed';
  if (denied) {
    const anything = code === undefined ? !hasText(resource.code) : ANY_PROBLEM.has(code);
    if (anything) {
      const value = element.child('value');
      if (value !== undefined) replaceValue(run, value, 'no known problem');
      resource.code = snomed('160245001');
    } else if (code === undefined || !NO_KNOWN_PROBLEM.has(code)) verification = 'refuted';
  }
  if (resource.code === undefined) {
    const flavor = nullFlavorOf(element.child('value'));
    resource.code = { extension: [absentReason(flavor ?? 'UNK')] };
  }
  const category = conditionCategory(around, element);
  if (category !== undefined) {
    const own = (resource.category as Json[] | undefined) ?? [];
    resource.category = [...own, { coding: [{ system: `${CLINICAL}condition-category`, code: category }] }];
  }
  const error = isNullified(run, element, around);
  if (error) verification = 'entered-in-error';
  resource.verificationStatus = status('condition-ver-status', verification);
  const clinical = verification === 'refuted' ? 'inactive' : clinicalStatus(statement, 'resolved');
  if (error) delete resource.clinicalStatus;
  else resource.clinicalStatus = status('condition-clinical', clinical);
  recordedBy(statement);
  const abated = Object.keys(resource).find((name) => name.startsWith('abatement'));
  if (abated !== undefined && ['active', 'recurrence', 'relapse'].includes(clinical)) {
    run.issue('warning', 'invariant', element, 'the problem has an end and an active status; its status is believed');
    resource.extension = [
      ...((resource.extension as Json[] | undefined) ?? []),
      { url: 'https://causeway.health/fhir/StructureDefinition/stated-abatement', valueDateTime: resource[abated] },
    ];
    delete resource[abated];
  }
}

/** A concern's own beginning is when it was first noted. */
function recordedBy({ run, draft, around }: Statement): void {
  if (draft.resource.recordedDate !== undefined) return;
  const low = around.wrapper?.child('effectiveTime')?.child('low');
  const value = low && dateTime(run, low, { draft, path: 'recordedDate' });
  if (value !== undefined) draft.resource.recordedDate = value;
}

function conditionCategory(around: Surrounding, element: XmlElement): string | undefined {
  const wrapper = around.wrapper;
  if (wrapper?.hasTemplate('2.16.840.1.113883.10.20.22.4.80')) return 'encounter-diagnosis';
  if (around.parent?.type === 'Encounter') return 'encounter-diagnosis';
  if (['46240-8', '46241-6', '11535-2', '42347-5'].includes(around.section ?? '')) return 'encounter-diagnosis';
  if (wrapper?.hasTemplate('2.16.840.1.113883.10.20.22.4.132') || around.section === '75310-3') return 'health-concern';
  if (element.hasTemplate('2.16.840.1.113883.10.20.22.4.19')) return undefined;
  return around.parent === undefined ? 'problem-list-item' : undefined;
}

/** Status observation, else an end, else the concern's own status, else active. */
function clinicalStatus({ run, element, draft, around }: Statement, ended: string): string {
  const stated = draft.resource.clinicalStatus;
  if (typeof stated === 'string') return stated;
  const high = element.child('effectiveTime')?.child('high');
  const concern = around.wrapper?.child('statusCode');
  const tracked = concern?.attr('code') === 'active';
  // C-CDA lets an unknown end mean "over"; many senders write it for what goes on, and then track it as active.
  if (high?.attr('nullFlavor') === 'UNK' && !tracked) {
    run.account.consumed(high, 'nullFlavor', 'ended at an unknown time');
    return ended;
  }
  const end = high?.attr('value');
  if (end !== undefined) {
    run.account.consumed(high!, 'value', 'ended');
    return ended;
  }
  const code = concern?.attr('code');
  const fromConcern = code && translate('concernStatus', code);
  if (concern !== undefined && fromConcern) {
    run.account.consumed(concern, 'code', 'concern status');
    return fromConcern;
  }
  return 'active';
}

function immunization({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) resource.status = 'not-done';
  else if (resource.status === 'not-done') run.account.consumed(element.child('statusCode')!, 'code');
  if (isNullified(run, element, around)) resource.status = 'entered-in-error';
  const performers = (resource.performer as Json[] | undefined) ?? [];
  for (const performer of performers) {
    performer.function = { coding: [{ system: `${CLINICAL}v2-0443`, code: 'AP' }] };
  }
  for (const detail of (resource.protocolApplied as Json[] | undefined) ?? []) detail.doseNumberPositiveInt ??= 1;
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
  resource.category = [{ coding: [{ system: `${CLINICAL}v2-0074`, code: 'LAB' }] }];
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
  const flavor = nullFlavorOf(value);
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
  for (const one of (resource.condition as Json[] | undefined) ?? []) one.code ??= { extension: [absentReason('UNK')] };
}

function coverage({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
  if (isNegated(run, element, around)) resource.status = 'cancelled';
  delete resource.subject;
  resource.payor ??= [{ extension: [absentReason('UNK')] }];
  const subscriber = (resource.identifier as Json[] | undefined)?.at(-1)?.value;
  if (typeof subscriber === 'string') resource.subscriberId ??= subscriber;
  resource.beneficiary ??= run.referenceTo(run.patient);
}

function procedure({ run, element, draft, around }: Statement): void {
  const { resource } = draft;
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
      return { system: `${CLINICAL}v3-ActCode`, code: value };
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
  const words = element.child('text');
  const attachment: Json = { contentType: 'text/xml', url: run.context.messageUri };
  const reference = words?.child('reference')?.attr('value');
  if (reference?.startsWith('#')) {
    attachment.url = `${run.context.messageUri}${reference}`;
    run.account.mapped(words!.child('reference')!, 'value', draft, 'content[0].attachment.url');
  }
  resource.content = [{ attachment }];
}

/** The statement's own code gives way to one that says that there is none; it drove the choice. */
function replaceValue(run: Run, element: XmlElement, rule: string): void {
  run.account.reopen(element);
  run.account.consumeBelow(element, rule);
}

/** Whether the statement, or the concern around it, is denied. */
function isNegated(run: Run, element: XmlElement, around: Surrounding): boolean {
  let denied = false;
  for (const at of [element, around.wrapper]) {
    if (at === undefined) continue;
    for (const name of NEGATION_ATTRIBUTES) {
      const value = at.attr(name);
      if (value === undefined) continue;
      if (/^(true|false|0|1)$/i.test(value)) run.account.consumed(at, name, `${run.account.rule}: negation`);
      else {
        run.account.rejected(at, name, 'not a boolean');
        run.issue('error', 'value', at, `@${name} has to be true or false; it is read as false`);
      }
    }
    if (isDenied(at)) denied = true;
  }
  return denied;
}

/** `nullified`, on the statement or on the concern around it: entered in error. */
function isNullified(run: Run, element: XmlElement, around: Surrounding): boolean {
  let nullified = false;
  for (const at of [element.child('statusCode'), around.wrapper?.child('statusCode')]) {
    if (at?.attr('code') === undefined) continue;
    if (at === element.child('statusCode')) run.account.consumed(at, 'code', `${run.account.rule}: status`);
    if (at.attr('code') === 'nullified') {
      run.account.consumed(at, 'code', `${run.account.rule}: status`);
      nullified = true;
    }
  }
  return nullified;
}

function status(system: string, code: string): Json {
  return { coding: [{ system: `${CLINICAL}${system}`, code }] };
}

const DISPLAYS: Record<string, string> = {
  '716186003': 'No known allergy',
  '409137002': 'No known drug allergy',
  '429625007': 'No known food allergy',
  '428607008': 'No known environmental allergy',
  '1003774007': 'No known Hevea brasiliensis latex allergy',
  '160245001': 'No current problems or disability',
  '787481004': 'No known medications',
  '2667000': 'Absent',
};

function snomed(code: string): Json {
  return { coding: [{ system: SNOMED, code, display: DISPLAYS[code] }] };
}

function firstCode(concept: unknown): string | undefined {
  const codings = (concept as { coding?: { code?: string }[] } | undefined)?.coding;
  return codings?.[0]?.code;
}

function hasText(concept: unknown): boolean {
  return typeof (concept as Json | undefined)?.text === 'string';
}

function nullFlavorOf(element: XmlElement | undefined): string | undefined {
  return element?.attr('nullFlavor');
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { text, coding, value: number, unit } = value as Json & { coding?: Json[] };
  return String(text ?? coding?.[0]?.display ?? coding?.[0]?.code ?? [number, unit].filter(Boolean).join(' '));
}
