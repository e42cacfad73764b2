/**
 * Allergies as they may safely be shown. Four things that look alike in the data are kept apart: an allergy, an allergy
 * denied (`refuted`), the statement that none is known, and no information at all (HL7 C-CDA on FHIR, allergies;
 * International Patient Summary, absent and unknown data).
 */
import type { AllergyIntolerance } from '@medplum/fhirtypes';
import { conceptKeys, conceptText, firstCode, hasCode, normalText } from './concepts.ts';
import { newestFirst } from './dates.ts';
import { gatherSame } from './same-fact.ts';

/** One substance over all sources. */
export interface AllergyLine {
  substance: string;
  statements: AllergyIntolerance[];
  /** Sources that deny this very substance while another reports it. */
  deniedBy: AllergyIntolerance[];
  active: boolean;
  /** The most serious that any source states. */
  criticality: 'high' | 'low' | 'unable-to-assess' | undefined;
  /** Reactions with the most severe severity told, e.g. `hives (severe)`. */
  reactions: string[];
  category: string;
  verification: string;
}

export interface AllergySummary {
  active: AllergyLine[];
  inactive: AllergyLine[];
  /** Specific substances said not to cause a reaction. */
  denied: { substance: string; statements: AllergyIntolerance[] }[];
  /** `No known allergies` and its narrower kin, in the words of the statement. */
  noneKnown: {
    words: string;
    statements: AllergyIntolerance[] /** About allergies of every kind. */;
    general: boolean;
  }[];
  /**
   * What the strip at the top says: `recorded` at least one active allergy; `none-known` a source states so for
   * allergies of every kind and no allergy stands against it; `no-information` nothing that would allow either, a
   * narrower denial (no known latex allergy) included.
   */
  state: 'recorded' | 'none-known' | 'no-information';
}

/** @param allergies standing statements; those entered in error are left out by the caller */
export function summarizeAllergies(allergies: readonly AllergyIntolerance[]): AllergySummary {
  const stated = allergies.filter((allergy) => !isNoInformation(allergy));
  const noneKnown = stated.filter(isNoneKnown);
  const specific = stated.filter((allergy) => !isNoneKnown(allergy));
  const lines: AllergyLine[] = [];
  const denied: AllergySummary['denied'] = [];
  for (const group of gatherSame(specific, substanceKeys)) {
    const reported = group.filter((allergy) => !isRefuted(allergy));
    const refuted = group.filter(isRefuted);
    if (reported.length > 0) lines.push(allergyLine(reported, refuted));
    else denied.push({ substance: substanceText(refuted), statements: refuted });
  }
  const active = lines.filter((line) => line.active).sort(mostSeriousFirst);
  return {
    active,
    inactive: lines.filter((line) => !line.active),
    denied,
    noneKnown: gatherSame(noneKnown, (allergy) => [noneKnownWords(allergy)]).map((statements) => ({
      words: noneKnownWords(statements[0]!),
      statements,
      general: isGeneral(statements[0]!),
    })),
    state: active.length > 0 ? 'recorded' : noneKnown.some(isGeneral) ? 'none-known' : 'no-information',
  };
}

/** True for a statement that there is no (known) allergy of some kind, however it is coded. */
export function isNoneKnown(allergy: AllergyIntolerance): boolean {
  if (hasCode(allergy.code, NONE_KNOWN_CODES)) return !isRefuted(allergy);
  if (isRefuted(allergy)) return hasCode(allergy.code, ANY_SUBSTANCE_CODES) || !allergy.code;
  return NONE_KNOWN_WORDS.test(normalText(conceptText(allergy.code)));
}

function isNoInformation(allergy: AllergyIntolerance): boolean {
  return (
    hasCode(allergy.code, NO_INFORMATION_CODES) || NO_INFORMATION_WORDS.test(normalText(conceptText(allergy.code)))
  );
}

function isRefuted(allergy: AllergyIntolerance): boolean {
  return firstCode(allergy.verificationStatus) === 'refuted';
}

/** True when the denial covers allergies of every kind, not only drugs, food or one substance. */
function isGeneral(allergy: AllergyIntolerance): boolean {
  if (hasCode(allergy.code, GENERAL_CODES)) return true;
  if (allergy.code?.coding?.some((coding) => coding.code)) return false;
  return !allergy.code || /^(nka|no known allerg(y|ies)|no allergies)$/.test(normalText(conceptText(allergy.code)));
}

function noneKnownWords(allergy: AllergyIntolerance): string {
  if (isRefuted(allergy)) return isGeneral(allergy) ? 'No known allergies' : `Denied: ${conceptText(allergy.code)}`;
  const words = conceptText(allergy.code, 'No known allergies').replace(/\s*\((situation|finding)\)$/i, '');
  return /^(nka|nkda)$/i.test(words) ? (words.length === 3 ? 'No known allergies' : 'No known drug allergies') : words;
}

function substanceKeys(allergy: AllergyIntolerance): string[] {
  const text = conceptText(isRefuted(allergy) ? withoutDenial(allergy.code) : allergy.code);
  return [...conceptKeys(allergy.code), ...(text ? [`text|${normalText(text)}`] : [])];
}

function substanceText(allergies: readonly AllergyIntolerance[]): string {
  const texts = allergies.map((allergy) =>
    conceptText(isRefuted(allergy) ? withoutDenial(allergy.code) : allergy.code),
  );
  return texts.find(Boolean) ?? 'Substance not stated';
}

/** A denial's own sentence (`Not allergic to penicillin`) gives way to the substance's name, so that it is denied once. */
function withoutDenial(code: AllergyIntolerance['code']): AllergyIntolerance['code'] {
  if (!code?.text || !/\bnot? (allerg|known)|\bden(y|ies|ied)\b/i.test(code.text)) return code;
  const named = conceptText({ coding: code.coding });
  return { coding: code.coding, text: named || code.text.replace(/^not allergic to /i, '') };
}

function allergyLine(reported: AllergyIntolerance[], refuted: AllergyIntolerance[]): AllergyLine {
  const statements = reported.toSorted((a, b) => newestFirst(a.recordedDate, b.recordedDate));
  const clinical = statements.map((allergy) => firstCode(allergy.clinicalStatus));
  const criticalities = new Set(statements.map((allergy) => allergy.criticality));
  return {
    substance: substanceText(statements),
    statements,
    deniedBy: refuted,
    active: clinical.some((code) => code !== 'inactive' && code !== 'resolved'),
    criticality: (['high', 'low', 'unable-to-assess'] as const).find((level) => criticalities.has(level)),
    reactions: reactionsOf(statements),
    category: [...new Set(statements.flatMap((allergy) => allergy.category ?? []))].join(', '),
    verification: statements.every((allergy) => firstCode(allergy.verificationStatus) === 'unconfirmed')
      ? 'unconfirmed'
      : '',
  };
}

function reactionsOf(statements: readonly AllergyIntolerance[]): string[] {
  const worst = new Map<string, { words: string; severity: number }>();
  for (const reaction of statements.flatMap((allergy) => allergy.reaction ?? [])) {
    const severity = SEVERITIES.indexOf(reaction.severity ?? '');
    for (const manifestation of reaction.manifestation ?? []) {
      const words = conceptText(manifestation);
      const known = worst.get(normalText(words));
      if (words && (!known || known.severity < severity)) worst.set(normalText(words), { words, severity });
    }
  }
  return [...worst.values()]
    .sort((a, b) => b.severity - a.severity)
    .map(({ words, severity }) => (severity >= 0 ? `${words} (${SEVERITIES[severity]})` : words));
}

function mostSeriousFirst(a: AllergyLine, b: AllergyLine): number {
  const rank = (line: AllergyLine) => ['high', 'unable-to-assess', undefined, 'low'].indexOf(line.criticality);
  return rank(a) - rank(b) || a.substance.localeCompare(b.substance);
}

const SEVERITIES = ['mild', 'moderate', 'severe'];

/** SNOMED CT situations and the IPS codes for "none known". */
const NONE_KNOWN_CODES: ReadonlySet<string> = new Set([
  '716186003',
  '409137002',
  '429625007',
  '428607008',
  '428197003',
  '1003774007',
  'no-known-allergies',
  'no-known-medication-allergies',
  'no-known-environmental-allergies',
  'no-known-food-allergies',
]);

/** No known allergy; and, when denied: propensity to adverse reactions, allergic disposition, allergy to substance. */
const GENERAL_CODES: ReadonlySet<string> = new Set([
  '716186003',
  'no-known-allergies',
  '420134006',
  '609328004',
  '419199007',
  '418038007',
  '106190000',
]);

const NO_INFORMATION_CODES: ReadonlySet<string> = new Set(['no-allergy-info', '1631000175102']);

/** What a denied statement is about when it is about no substance in particular: allergy, drug, food, propensity. */
const ANY_SUBSTANCE_CODES: ReadonlySet<string> = new Set([
  '419199007',
  '416098002',
  '414285001',
  '418038007',
  '420134006',
  '418471000',
  '419511003',
  '106190000',
  '609328004',
]);

const NONE_KNOWN_WORDS = /^(nka|nkda|nkfa|no known( \w+){0,3} allerg(y|ies)|no (drug |food )?allergies)\b/;
const NO_INFORMATION_WORDS =
  /^(no information (about|on|regarding) allerg|allerg(y|ies) (not (asked|recorded)|unknown))/;
