/**
 * Conditions of conditional interactions: `identifier=urn:x|1` of a type. One transaction at a time decides on each, over
 * all hubs, so that what the one before it made is found.
 */
import type { Transaction } from '../database/index.ts';
import { RecordError } from './errors.ts';
import { hash64 } from './keys.ts';

/** A search that says which resource is meant. */
export interface SearchCondition {
  type: string;
  query: string;
}

/** One spelling for conditions that say the same. */
export function sameCondition({ type, query }: SearchCondition): string {
  return `${type}?${[...new URLSearchParams(query)]
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&')}`;
}

/**
 * Locks what conditions ask about until the transaction ends. Each pair of name and value is locked, so that conditions
 * that share one wait for each other; in one order, so that two transactions do not wait for each other.
 */
export async function lockConditions(transaction: Transaction, conditions: readonly SearchCondition[]): Promise<void> {
  const locks = new Set<number>();
  for (const { type, query } of conditions) {
    for (const [name, value] of new URLSearchParams(query)) {
      locks.add(Number(BigInt.asUintN(10, hash64(`${type}?${name}=${value}`))));
    }
  }
  if (locks.size === 0) return;
  await transaction.query({
    name: 'condition_lock',
    text: `SELECT pg_advisory_xact_lock(${lockClass}, lock) FROM unnest($1::integer[]) AS lock`,
    values: [[...locks].sort((a, b) => a - b)],
  });
}

/** The class of the advisory locks on conditions; 1 024 of them keep PostgreSQL's table of locks from running full. */
const lockClass = 724_031;

/** @throws RecordError 400 for a condition that does more than filter, 412 for one that does not filter */
export function checkCondition(query: string, at?: string): void {
  const parameters = [...new URLSearchParams(query)];
  const other = parameters.find(([name]) => resultParameters.has(name.split(':')[0]!));
  if (other) {
    throw new RecordError(400, 'invalid', `A condition only filters; ${other[0]} does not.`, at ?? other[0]);
  }
  if (parameters.length === 0) {
    throw new RecordError(412, 'invalid', 'A condition needs at least one parameter, such as identifier.', at);
  }
}

/** Parameters that decide what an answer holds, not what is found (FHIR R4 §3.1.1.6). */
const resultParameters = new Set([
  '_sort',
  '_count',
  '_include',
  '_revinclude',
  '_summary',
  '_elements',
  '_total',
  '_contained',
  '_containedType',
  '_format',
  '_pretty',
  '_cursor',
]);
