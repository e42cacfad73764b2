/**
 * Rules for allergies and problems: denial, clinical and verification status. Above all: what is denied, null or in
 * error never reads as an allergy or a problem that is there.
 */
import type { XmlElement } from '@causeway/ccda';
import { translate } from './concept-maps.ts';
import { firstCode, hasText, noInformation, snomed, status, TERMINOLOGY } from './concepts.ts';
import { absentReason, codeableConcept, dateTime } from './data-types.ts';
import type { Json } from './fhir-path.ts';
import { isNegated, isNullAct, isNullified, replaceValue } from './negation.ts';
import type { Statement } from './rules.ts';
import type { Surrounding } from './statements.ts';

const ANY_PROBLEM = new Set(['55607006', '64572001', '404684003', '248536006']);
const NO_KNOWN_PROBLEM = new Set(['160245001', '396782006']);

export function allergy(statement: Statement): void {
  const { run, element, draft, around } = statement;
  const { resource } = draft;
  const value = element.child('value');
  const agent = firstCode(resource.code);
  const saysNone = agent !== undefined && translate('noKnownAllergyCode', agent) !== undefined;
  const valueCode = value?.attr('code');
  const valueSaysNone = valueCode !== undefined && translate('noKnownAllergyCode', valueCode) !== undefined;
  if (value !== undefined && (valueSaysNone || (agent === undefined && !hasText(resource.code)))) {
    const concept = codeableConcept(run, value, { draft, path: 'code' });
    if (concept !== undefined) resource.code = concept;
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
  resource.code ??= { extension: [absentReason(value?.attr('nullFlavor') ?? 'UNK')] };
  if (!denied && agent === undefined) readWords(resource, valueCode);
  const nullAct = isNullAct(run, element, around);
  const unnamed = firstCode(resource.code) === undefined && !hasText(resource.code) && resource.reaction === undefined;
  const nothing = !denied && ((nullAct && agent === undefined) || unnamed);
  if (nothing) {
    if (value !== undefined) replaceValue(run, value, 'no information about allergies');
    const { text } = resource.code as Json;
    const absent = noInformation('no-allergy-info', 'No information about allergies');
    resource.code = text === undefined ? absent : { ...absent, text };
  }
  if (!denied && (nullAct || nothing)) verification = 'unconfirmed';
  completeReactions(statement);
  const categories = resource.category as string[] | undefined;
  if (categories !== undefined) resource.category = [...new Set(categories)];
  const error = isNullified(run, element, around);
  if (error) verification = 'entered-in-error';
  else if (element.child('statusCode')?.attr('code') === 'cancelled') verification = 'unconfirmed';
  resource.verificationStatus = status('allergyintolerance-verification', verification);
  const clinical = clinicalStatus(statement, 'resolved');
  if (error) delete resource.clinicalStatus;
  else {
    const there = verification !== 'refuted' && !nothing;
    resource.clinicalStatus = status('allergyintolerance-clinical', there ? clinical : 'inactive');
  }
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

const NONE_IN_WORDS = /^\s*(no known|nkd?a\b|nkma\b|no (drug |food )?allerg)/i;

/** "NKDA" as the name of a substance is no substance. */
function readWords(resource: Json, valueCode: string | undefined): void {
  const code = resource.code as Json;
  if (typeof code.text !== 'string' || !NONE_IN_WORDS.test(code.text)) return;
  const kind = valueCode === undefined ? undefined : translate('noKnownAllergy', valueCode);
  resource.code = { ...snomed(kind ?? '716186003'), text: code.text };
}

/** The "no known allergy" code for a denial of the whole kind; undefined when one substance is denied. */
function noKnown(resource: Json, valueCode: string | undefined, agent: string | undefined): Json | undefined {
  if (agent !== undefined) {
    const none = translate('noKnownAllergy', agent);
    return none === undefined ? undefined : snomed(none);
  }
  const kind = valueCode === undefined ? '716186003' : translate('noKnownAllergy', valueCode);
  const text = (resource.code as Json | undefined)?.text;
  if (typeof text !== 'string') return kind === undefined ? undefined : snomed(kind);
  return /^(no|none|nil|nka|nkda|nkma|not? known|denies)\b/i.test(text)
    ? { ...snomed(kind ?? '716186003'), text }
    : undefined;
}

export function condition(statement: Statement): void {
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
    const flavor = element.child('value')?.attr('nullFlavor');
    resource.code = { extension: [absentReason(flavor ?? 'UNK')] };
  }
  const nullAct = isNullAct(run, element, around);
  const named = firstCode(resource.code);
  const nothing = nullAct && !denied && (named === undefined || ANY_PROBLEM.has(named));
  if (nothing) {
    const value = element.child('value');
    if (value !== undefined) replaceValue(run, value, 'no information about problems');
    resource.code = noInformation('no-problem-info', 'No information about problems');
  }
  const unnamed = named === undefined && !hasText(resource.code);
  if ((nullAct || unnamed) && verification === 'confirmed') verification = 'unconfirmed';
  const category = conditionCategory(around, element);
  if (category !== undefined) {
    const own = (resource.category as Json[] | undefined) ?? [];
    resource.category = [...own, { coding: [{ system: `${TERMINOLOGY}condition-category`, code: category }] }];
  }
  const error = isNullified(run, element, around);
  if (error) verification = 'entered-in-error';
  resource.verificationStatus = status('condition-ver-status', verification);
  const clinical = verification === 'refuted' || nothing ? 'inactive' : clinicalStatus(statement, 'resolved');
  if (error) delete resource.clinicalStatus;
  else resource.clinicalStatus = status('condition-clinical', clinical);
  recordedBy(statement);
  const abated = Object.keys(resource).find((name) => name.startsWith('abatement'));
  if (abated !== undefined && ['active', 'recurrence', 'relapse'].includes(clinical)) {
    run.issue('warning', 'invariant', element, 'the problem has an end and an active status; its status is believed');
    resource.extension = [
      ...((resource.extension as Json[] | undefined) ?? []),
      { url: 'urn:causeway:extension:stated-abatement', valueDateTime: resource[abated] },
    ];
    delete resource[abated];
  }
}

/** A concern's own beginning is when it was first noted. */
function recordedBy({ run, draft, around }: Statement): void {
  if (draft.resource.recordedDate !== undefined) return;
  const time = around.wrapper?.child('effectiveTime');
  const low = time?.child('low') ?? time;
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
