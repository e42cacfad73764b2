/**
 * Observations grouped by test, newest first, with one trend for each unit: values in different units are never drawn
 * on one axis, and nothing is converted.
 */
import type { Observation, ObservationComponent, ObservationReferenceRange } from '@medplum/fhirtypes';
import { conceptKeys, conceptText, firstCode, hasCode, normalText } from './concepts.ts';
import { instantOf, newestFirst } from './dates.ts';
import { observedAt, observedText, rangeText, unitText } from './quantities.ts';

/** One value (of a panel observation: one component) as the table shows it. */
export interface ResultValue {
  observation: Observation;
  /** Words; why there is no value when there is none. */
  text: string;
  hasValue: boolean;
  date: string | undefined;
  flag: Flag | undefined;
  range: string;
  /** `preliminary`, `corrected`, `amended`, `cancelled`; '' for a plain final result. */
  remark: string;
  point: { at: number; value: number; unit: string; low?: number; high?: number } | undefined;
}

export interface Flag {
  code: string;
  words: string;
  /** `critical` wants action, `abnormal` attention, `normal` none. */
  grade: 'critical' | 'abnormal' | 'normal' | 'other';
}

export interface TestGroup {
  key: string;
  name: string;
  codes: string[];
  /** Newest first; corrected ones included, withdrawn ones not. */
  values: ResultValue[];
  /** One a unit, the unit of the newest value first. */
  trends: { unit: string; points: NonNullable<ResultValue['point']>[] }[];
}

export type ObservationKind = 'vital-signs' | 'social-history' | 'laboratory';

/** Which section of the chart an observation belongs to; what is neither vital sign nor social history is a result. */
export function observationKind(observation: Observation): ObservationKind {
  const codes = new Set(
    observation.category?.flatMap((category) => category.coding?.map((coding) => coding.code) ?? []),
  );
  if (codes.has('vital-signs')) return 'vital-signs';
  if (codes.has('social-history')) return 'social-history';
  if (codes.size === 0 && hasCode(observation.code, VITAL_SIGN_CODES, 'http://loinc.org')) return 'vital-signs';
  return 'laboratory';
}

/** Tests in order of their newest value. A panel with components counts once for each component. */
export function groupResults(observations: readonly Observation[]): TestGroup[] {
  const groups = new Map<string, { name: string; codes: string[]; values: ResultValue[] }>();
  const shared = sharedKeys(observations.flatMap((observation) => [observation.code, ...componentCodes(observation)]));
  for (const observation of observations) {
    if (isMereHeading(observation)) continue;
    const parts: (Observation | ObservationComponent)[] = [];
    if (observation.component?.length) parts.push(...observation.component);
    if (!observation.component?.length || observedText(observation)) parts.unshift(observation);
    for (const part of parts) {
      const codes = conceptKeys(part.code);
      const key = codes.map((code) => shared.get(code)).find(Boolean) ?? `text|${normalText(conceptText(part.code))}`;
      const group = groups.get(key) ?? { name: conceptText(part.code, 'Test not stated'), codes: [], values: [] };
      for (const code of codes) if (!group.codes.includes(code)) group.codes.push(code);
      group.values.push(resultValue(observation, part));
      groups.set(key, group);
    }
  }
  return [...groups]
    .map(([key, group]) => {
      const values = group.values.sort((a, b) => newestFirst(a.date, b.date));
      return { key, ...group, values, trends: trendsOf(values) };
    })
    .sort((a, b) => newestFirst(a.values[0]?.date, b.values[0]?.date) || a.name.localeCompare(b.name));
}

/** The interpretation code (v3 ObservationInterpretation) in words. */
export function flagOf(observed: Observation | ObservationComponent): Flag | undefined {
  const concept = observed.interpretation?.[0];
  const code = firstCode(concept);
  if (!concept || (!code && !concept.text)) return undefined;
  const known = FLAGS[code];
  return { code: code || concept.text!, words: known?.[0] ?? conceptText(concept), grade: known?.[1] ?? 'other' };
}

/** A panel that only names its members says nothing that they do not say themselves. */
function isMereHeading(observation: Observation): boolean {
  return !!observation.hasMember?.length && !observation.component?.length && observedText(observation) === '';
}

function componentCodes(observation: Observation) {
  return observation.component?.map((component) => component.code) ?? [];
}

/** Code → the first code of its group, where codes that ever appear in one concept name the same test. */
function sharedKeys(concepts: Observation['code'][]): Map<string, string> {
  const groupOf = new Map<string, string>();
  for (const concept of concepts) {
    const keys = conceptKeys(concept);
    const roots = new Set(keys.map((key) => groupOf.get(key)).filter((root) => root !== undefined));
    const root = [...roots][0] ?? keys[0];
    if (root === undefined) continue;
    for (const key of keys) groupOf.set(key, root);
    if (roots.size > 1) for (const [key, old] of groupOf) if (roots.has(old)) groupOf.set(key, root);
  }
  return groupOf;
}

function resultValue(observation: Observation, part: Observation | ObservationComponent): ResultValue {
  const text = observedText(part);
  const hasValue =
    !('dataAbsentReason' in part && part.dataAbsentReason) && text !== '' && observation.status !== 'cancelled';
  const quantity = part.valueQuantity;
  const range =
    part.referenceRange?.find((each) => !each.type || firstCode(each.type) === 'normal') ?? part.referenceRange?.[0];
  const date = observedAt(observation);
  const at = instantOf(date);
  const drawable = hasValue && quantity?.value !== undefined && !quantity.comparator && !Number.isNaN(at);
  return {
    observation,
    text: observation.status === 'cancelled' ? 'cancelled' : text || 'no value',
    hasValue,
    date,
    flag: hasValue ? flagOf(part) : undefined,
    range: rangeText(range, unitText(quantity)),
    remark: REMARKS[observation.status] ?? '',
    point: drawable ? { at, value: quantity.value!, unit: unitText(quantity), ...limits(range, quantity) } : undefined,
  };
}

/** The range's limits, only when they are in the value's own unit. */
function limits(range: ObservationReferenceRange | undefined, quantity: Observation['valueQuantity']) {
  const unit = unitText(quantity);
  const inUnit = (limit: ObservationReferenceRange['low']) =>
    limit && (!unitText(limit) || unitText(limit) === unit) ? limit.value : undefined;
  return { low: inUnit(range?.low), high: inUnit(range?.high) };
}

function trendsOf(values: ResultValue[]): TestGroup['trends'] {
  const byUnit = new Map<string, NonNullable<ResultValue['point']>[]>();
  for (const { point } of values) {
    if (!point) continue;
    const points = byUnit.get(point.unit);
    if (points) points.push(point);
    else byUnit.set(point.unit, [point]);
  }
  return [...byUnit].map(([unit, points]) => ({ unit, points: points.sort((a, b) => a.at - b.at) }));
}

const REMARKS: Record<string, string> = {
  registered: 'not yet available',
  preliminary: 'preliminary',
  corrected: 'corrected',
  amended: 'amended',
  cancelled: 'cancelled',
  unknown: 'status unknown',
};

const FLAGS: Record<string, [string, Flag['grade']]> = {
  HH: ['critically high', 'critical'],
  LL: ['critically low', 'critical'],
  AA: ['critical', 'critical'],
  H: ['high', 'abnormal'],
  HU: ['significantly high', 'abnormal'],
  L: ['low', 'abnormal'],
  LU: ['significantly low', 'abnormal'],
  A: ['abnormal', 'abnormal'],
  '>': ['above scale', 'abnormal'],
  '<': ['below scale', 'abnormal'],
  R: ['resistant', 'abnormal'],
  I: ['intermediate', 'other'],
  S: ['susceptible', 'normal'],
  POS: ['positive', 'abnormal'],
  NEG: ['negative', 'normal'],
  DET: ['detected', 'abnormal'],
  ND: ['not detected', 'normal'],
  IND: ['indeterminate', 'other'],
  N: ['normal', 'normal'],
  U: ['significant change up', 'other'],
  D: ['significant change down', 'other'],
  B: ['better', 'other'],
  W: ['worse', 'other'],
};

const VITAL_SIGN_CODES: ReadonlySet<string> = new Set([
  '85354-9',
  '8480-6',
  '8462-4',
  '8867-4',
  '9279-1',
  '8310-5',
  '2708-6',
  '59408-5',
  '8302-2',
  '29463-7',
  '3141-9',
  '39156-5',
  '8287-5',
]);
