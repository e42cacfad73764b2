/**
 * Conditions merged over their sources: one line a diagnosis, active ones apart from resolved and from those ruled out.
 */
import type { Condition } from '@medplum/fhirtypes';
import { conceptKeys, conceptText, firstCode, normalText } from './concepts.ts';
import { newestFirst } from './dates.ts';
import { gatherSame } from './same-fact.ts';
import { sourceOf } from './source.ts';

export interface ConditionLine {
  name: string;
  /** Newest statement first. */
  statements: Condition[];
  standing: 'active' | 'resolved' | 'refuted';
  /** The clinical status in words as the deciding source gives it; `status not stated` when none does. */
  status: string;
  onset: string | undefined;
  abated: string | undefined;
  /** True when the sources say different things about whether it is over. */
  disputed: boolean;
  verification: string;
}

/** @param conditions standing statements; those entered in error are left out by the caller */
export function mergeConditions(conditions: readonly Condition[]): ConditionLine[] {
  return gatherSame(conditions, conditionKeys)
    .map(conditionLine)
    .sort((a, b) => newestFirst(a.onset, b.onset) || a.name.localeCompare(b.name));
}

function conditionKeys(condition: Condition): string[] {
  const text = conceptText(condition.code);
  return [...conceptKeys(condition.code), ...(text ? [`text|${normalText(text)}`] : [])];
}

function conditionLine(group: Condition[]): ConditionLine {
  const statements = group.toSorted((a, b) => newestFirst(statedAt(a), statedAt(b)));
  const newest = newestOfEachSource(statements);
  const accepted = newest.filter((condition) => firstCode(condition.verificationStatus) !== 'refuted');
  const active = accepted.filter(isActive);
  const deciding = active[0] ?? accepted[0] ?? statements[0]!;
  return {
    name: statements.map((condition) => conceptText(condition.code)).find(Boolean) ?? 'Condition not stated',
    statements,
    standing: active.length > 0 ? 'active' : accepted.length > 0 ? 'resolved' : 'refuted',
    status: firstCode(deciding.clinicalStatus) || (deciding.abatementDateTime ? 'resolved' : 'status not stated'),
    onset: earliest(statements.map(onsetOf)),
    abated: active.length > 0 ? undefined : statements.map(abatedOf).find(Boolean),
    disputed: active.length > 0 && active.length < newest.length,
    verification:
      ['provisional', 'differential', 'unconfirmed'].find((code) =>
        newest.every((condition) => firstCode(condition.verificationStatus) === code),
      ) ?? '',
  };
}

function isActive(condition: Condition): boolean {
  const status = firstCode(condition.clinicalStatus);
  if (status) return ['active', 'recurrence', 'relapse'].includes(status);
  return !condition.abatementDateTime && !condition.abatementPeriod;
}

function newestOfEachSource(statements: Condition[]): Condition[] {
  const seen = new Map<string, Condition>();
  for (const statement of statements) {
    const key = sourceOf(statement).key;
    if (!seen.has(key)) seen.set(key, statement);
  }
  return [...seen.values()];
}

function statedAt(condition: Condition): string | undefined {
  return condition.recordedDate ?? condition.meta?.lastUpdated;
}

function onsetOf(condition: Condition): string | undefined {
  return condition.onsetDateTime ?? condition.onsetPeriod?.start;
}

function abatedOf(condition: Condition): string | undefined {
  return condition.abatementDateTime ?? condition.abatementPeriod?.end ?? condition.abatementPeriod?.start;
}

function earliest(dates: (string | undefined)[]): string | undefined {
  return dates.filter(Boolean).toSorted((a, b) => newestFirst(b, a))[0];
}
