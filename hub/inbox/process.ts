/**
 * Works off the inbox: converts messages and puts their facts into the record, in the order in which they came for each
 * lane. A message that fails is tried again and holds back its lane; after the last try it is dead and says why.
 */
import type { Conversion } from '@causeway/mapping';
import type { Logger } from 'pino';
import type { Database, Transaction } from '../database/index.ts';
import type { PersonIndex } from '../identity/index.ts';
import { type FhirRecord, open, type WriteSet } from '../record/index.ts';
import { unwrapDataKey } from '../secrets/index.ts';
import type { Participants } from '../trust/index.ts';
import { type Applied, applyFacts, type PreparedFact, prepareFact } from './apply.ts';
import { convert } from './convert.ts';
import { type Dialect, messageIdentity } from './receive.ts';

const batchSize = 64;
const idleMs = 1_000;
const attempts = 5;
const firstRetryMs = 2_000;
const shownIssues = 200;

interface Waiting {
  seq: number;
  id: string;
  source: string;
  dialect: Dialect;
  received: Date;
  attempts: number;
  bytes: Buffer;
}

interface Work {
  message: Waiting;
  conversion: Conversion | undefined;
  facts: PreparedFact[];
  error: string | undefined;
}

export class Processor {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #persons: PersonIndex;
  readonly #participants: Participants;
  readonly #master: Buffer;
  readonly #log: Logger;
  #wake: (() => void) | undefined;
  #pending = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(parts: {
    database: Database;
    record: FhirRecord;
    persons: PersonIndex;
    participants: Participants;
    master: Buffer;
    log: Logger;
  }) {
    this.#database = parts.database;
    this.#record = parts.record;
    this.#persons = parts.persons;
    this.#participants = parts.participants;
    this.#master = parts.master;
    this.#log = parts.log;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Tells that there is something to do. */
  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#pending = false;
      let done = 0;
      try {
        done = await this.#batch();
      } catch (error) {
        if (this.#stopped) return;
        this.#log.error({ error: (error as Error).message }, 'processing the inbox failed');
      }
      if (done === 0 && !this.#pending) await this.#idle();
    }
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, idleMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Processes the next messages; returns how many. */
  async #batch(): Promise<number> {
    const waiting = await this.#claim();
    if (waiting.length === 0) return 0;
    const works = waiting.map((message) => this.#convert(message));
    try {
      await this.#store(works);
    } catch (error) {
      if (works.length === 1) await this.#fail(works[0]!, error as Error);
      else for (const work of works) await this.#alone(work);
    }
    return waiting.length;
  }

  async #alone(work: Work): Promise<void> {
    try {
      await this.#store([this.#convert(work.message)]);
    } catch (error) {
      await this.#fail(work, error as Error);
    }
  }

  async #claim(): Promise<Waiting[]> {
    const { rows } = await this.#database.query({
      name: 'claim',
      text: `SELECT seq, id, source, dialect, received, attempts, sealing_key, body FROM message m
             WHERE state IN ('received', 'failed') AND (next_attempt IS NULL OR next_attempt <= now())
               AND NOT EXISTS (SELECT 1 FROM message f WHERE f.state = 'failed' AND f.lane = m.lane AND f.seq < m.seq)
             ORDER BY seq LIMIT ${batchSize}`,
    });
    return rows.map(({ sealing_key, body, ...row }) => ({
      ...(row as Omit<Waiting, 'bytes'>),
      bytes: open(body, unwrapDataKey(this.#master, sealing_key, messageIdentity(row.id)), messageIdentity(row.id)),
    }));
  }

  #convert(message: Waiting): Work {
    try {
      const participant = this.#participants.byKey(message.source);
      const conversion = convert(message.dialect, message.bytes, {
        source: message.source,
        receivedAt: message.received.toISOString(),
        messageUri: `urn:causeway:message:${message.id}`,
        ...participant.settings,
      });
      if (typeof conversion === 'string') return { message, conversion: undefined, facts: [], error: conversion };
      const facts = conversion.facts.map((fact) => prepareFact(fact, participant));
      return { message, conversion, facts, error: undefined };
    } catch (error) {
      this.#log.error({ message: message.id, error: (error as Error).stack }, 'a converter failed');
      return { message, conversion: undefined, facts: [], error: `The conversion failed: ${(error as Error).message}` };
    }
  }

  async #store(works: Work[]): Promise<void> {
    const facts = works.flatMap((work) => work.facts);
    const identities = works.flatMap((work) => work.conversion?.identityEvents ?? []);
    await this.#record.writer.write({
      keys: facts.map(({ fact }) => ({ type: fact.resource.resourceType, id: fact.resource.id! })),
      patients: [
        ...facts.flatMap(({ patient }) => patient ?? []),
        ...identities.flatMap((event) =>
          event.kind === 'merge' ? [event.surviving, event.retired] : [event.a, event.b],
        ),
      ],
      texts: true,
      alone: true,
      size: facts.length,
      apply: async (set, transaction) => {
        const outcomes = works.map((work) => ({ work, applied: this.#apply(set, work) }));
        await recordOutcomes(transaction, outcomes, set.now);
      },
    });
  }

  #apply(set: WriteSet, { message, conversion, facts }: Work): Applied {
    if (!conversion) return { stored: [], superseded: 0 };
    const applied = applyFacts(set, facts, message.id);
    for (const event of conversion.identityEvents) {
      const [a, b] = event.kind === 'merge' ? [event.surviving, event.retired] : [event.a, event.b];
      this.#persons.state(set, { kind: event.kind, a, b, source: message.source });
    }
    return applied;
  }

  /** Notes a failure of storing: tried again later, dead after the last try. */
  async #fail({ message }: Work, error: Error): Promise<void> {
    const tried = message.attempts + 1;
    const dead = tried >= attempts;
    this.#log.error({ message: message.id, attempt: tried, error: error.message }, 'a message could not be stored');
    await this.#database.query({
      name: 'message_failed',
      text: `UPDATE message SET state = $2, attempts = $3, error = $4, next_attempt = now() + $5 * interval '1 ms' WHERE id = $1`,
      values: [
        message.id,
        dead ? 'dead' : 'failed',
        tried,
        error.message.slice(0, 500),
        firstRetryMs * 2 ** (tried - 1),
      ],
    });
  }
}

interface Outcome {
  work: Work;
  applied: Applied;
}

async function recordOutcomes(transaction: Transaction, outcomes: Outcome[], now: Date): Promise<void> {
  const column = <T>(value: (outcome: Outcome) => T) => outcomes.map(value);
  const count = (disposition: string) =>
    column(({ work }) => work.conversion?.ledger.filter((entry) => entry.disposition === disposition).length ?? 0);
  await transaction.query({
    name: 'message_processed',
    text: `
      UPDATE message m SET state = v.state, processed = $1, attempts = attempts + 1, error = v.error, next_attempt = NULL,
        patient = v.patient, resources = v.resources, mapped = v.mapped, consumed = v.consumed,
        structural = v.structural, kept = v.kept, rejected = v.rejected, issues = v.issues,
        not_mapped = v.not_mapped::text[], issue_list = v.issue_list
      FROM unnest($2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::integer[], $7::integer[], $8::integer[],
                  $9::integer[], $10::integer[], $11::integer[], $12::integer[], $13::text[], $14::jsonb[])
        AS v (seq, state, error, patient, resources, mapped, consumed, structural, kept, rejected, issues, not_mapped,
              issue_list)
      WHERE m.seq = v.seq`,
    values: [
      now,
      column(({ work }) => work.message.seq),
      column(({ work }) => (work.error === undefined ? 'processed' : 'dead')),
      column(({ work }) => work.error ?? null),
      column(
        ({ work }) => work.facts.find(({ fact }) => fact.resource.resourceType === 'Patient')?.fact.resource.id ?? null,
      ),
      column(({ applied }) => applied.stored.length),
      count('mapped'),
      count('consumed'),
      count('structural'),
      count('kept'),
      count('rejected'),
      column(({ work }) => work.conversion?.issues.length ?? 0),
      column(({ work }) => arrayText(notMapped(work))),
      column(({ work }) => JSON.stringify(work.conversion?.issues.slice(0, shownIssues) ?? [])),
    ],
  });
}

/** The kinds of source fields that carried content and were not mapped, each once: `PID-25`, or a path without positions. */
function notMapped({ conversion }: Work): string[] {
  const kinds = new Set<string>();
  for (const { source, disposition } of conversion?.ledger ?? []) {
    if (disposition === 'kept' || disposition === 'rejected') kinds.add(source.replace(/\[\d+\]/g, ''));
  }
  return [...kinds].slice(0, 500);
}

function arrayText(values: string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
