/**
 * What somebody may change whose access the decision limits: of what is there, only what they may see; the rest is not
 * there for them, and nothing can be stored under an id that they name and cannot see. What they store must lie where
 * they may look.
 */
import { isInPatientCompartment, typeCode, typeName } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import { type Access, accessCondition } from '../trust/index.ts';
import { RecordError } from './errors.ts';
import { ridOf } from './keys.ts';
import { refuseUnlessWhole } from './redaction.ts';
import type { ResourceKey, Version } from './transaction-resources.ts';

export class LimitedChanges {
  readonly #transaction: Transaction;
  readonly #access: Access;
  readonly #made = new Set<string>();
  readonly #looked = new Set<string>();
  readonly #visible = new Set<string>();

  /** @param made resources under ids of the hub's making */
  constructor(transaction: Transaction, access: Access, made: readonly ResourceKey[]) {
    this.#transaction = transaction;
    this.#access = access;
    this.make(made);
  }

  /** Adds resources under ids of the hub's making. */
  make(made: readonly ResourceKey[]): void {
    for (const { type, id } of made) this.#made.add(nameOf({ type, rid: ridOf(id) }));
  }

  /** Asks which of these may be seen; they are locked already. */
  async look(keys: readonly ResourceKey[]): Promise<void> {
    const fresh = keys
      .map(({ type, id }) => ({ type, rid: ridOf(id) }))
      .filter((key) => !this.#looked.has(nameOf(key)));
    if (fresh.length === 0) return;
    const values: unknown[] = [fresh.map(({ rid }) => rid), fresh.map(({ type }) => typeCode(type))];
    const condition = accessCondition(this.#access, 'r', (value) => `$${values.push(value)}`);
    const { rows } = await this.#transaction.query({
      text: `SELECT r.rid, r.type FROM unnest($1::uuid[], $2::smallint[]) AS k (rid, type)
             JOIN resource r ON r.rid = k.rid AND r.type = k.type WHERE ${condition}`,
      values,
    });
    for (const key of fresh) this.#looked.add(nameOf(key));
    for (const { rid, type } of rows) this.#visible.add(nameOf({ type: typeName(type)!, rid }));
  }

  /** Whether what was there before the job may not be seen. What nobody asked about may not. */
  hides(type: string, rid: string): boolean {
    const name = nameOf({ type, rid });
    return !this.#made.has(name) && !this.#visible.has(name);
  }

  /** @throws RecordError 403 where the caller sees a part of a version only; what it made itself it knows */
  checkWhole(version: Version | undefined): void {
    if (version && !version.deleted && !this.#made.has(nameOf(version))) refuseUnlessWhole(this.#access, version);
  }

  /** @throws RecordError 404 where what would be changed is hidden, or is not there under an id that somebody named */
  checkTarget(type: string, rid: string, before: Version | undefined): void {
    if (this.#made.has(nameOf({ type, rid })) || (before && !this.hides(type, rid))) return;
    const text = `There is no ${type} of this id that you may change; create one by POST, under an id that the server gives.`;
    throw new RecordError(404, 'not-found', text);
  }

  /** @throws RecordError 403 where something would be stored that the caller has no business with */
  checkPlace(type: string, home: number): void {
    const { homes, limits } = this.#access;
    const isOfType = limits.types === 'all' || limits.types.includes(type);
    const isInHome =
      home < 0 ? !(limits.isConfined && isInPatientCompartment(type)) : homes === 'all' || homes.includes(home);
    if (isOfType && isInHome) return;
    throw new RecordError(
      403,
      'forbidden',
      `This access may not store this ${type}: it is outside of what it may see.`,
    );
  }
}

function nameOf({ type, rid }: { type: string; rid: string }): string {
  return `${type}/${rid}`;
}
