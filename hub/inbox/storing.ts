/** Puts converted messages into the record, with what follows from them as versions of documents and about identities. */
import type { Logger } from 'pino';
import type { Database, Transaction } from '../database/index.ts';
import type { PersonIndex } from '../identity/index.ts';
import { Pace } from '../pace.ts';
import { type FhirRecord, TextSpool, type WriteSet } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { Participants } from '../trust/index.ts';
import { type Applied, applyFacts, ownersOfWithdrawn, type PreparedFact } from './apply.ts';
import type { ConversionPool } from './conversion-pool.ts';
import { type ConvertedMessage, patientsOf, statedIdentities } from './converted.ts';
import { judgeVersion, remarkOn, type Statement, statementOf, withRemark } from './document-versions.ts';
import { type Outcome, recordOutcomes } from './outcomes.ts';
import { beginRefiling, contentOf, filedAnew, refile } from './refile.ts';
import { carryOut, statementsBefore } from './versions-before.ts';
import type { Waiting } from './waiting.ts';

const factsAtOnce = 32;
/** A message of more facts is stored alone, and its versions wait on the disk until they are written. */
export const factsInMemory = 1_000;

/** A message as it was converted. */
export interface Work {
  message: Waiting;
  conversion: ConvertedMessage;
  facts: PreparedFact[];
  /** By which map it was converted. */
  map: bigint;
  error: string | undefined;
}

export interface StoringParts {
  database: Database;
  record: FhirRecord;
  persons: PersonIndex;
  participants: Participants;
  master: MasterKey;
  pool: ConversionPool;
  /** Where texts wait while earlier versions of a document are looked at; see `TextSpool`. */
  spoolDirectory: string;
  log: Logger;
}

export class Storing {
  readonly #parts: StoringParts;

  constructor(parts: StoringParts) {
    this.#parts = parts;
  }

  /** Stores messages in one transaction; one of many facts has to come alone. */
  async store(works: Work[]): Promise<void> {
    const isLarge = works.length === 1 && works[0]!.facts.length > factsInMemory;
    const spool = isLarge ? new TextSpool(this.#parts.spoolDirectory) : undefined;
    try {
      await this.#write(works, spool);
    } finally {
      spool?.close();
    }
    for (const { message, conversion } of works) this.#alarm(message, conversion);
  }

  async #write(works: Work[], spool: TextSpool | undefined): Promise<void> {
    const before = await this.#before(works);
    const facts = works.flatMap((work) => work.facts);
    const identities = works.flatMap((work) => work.conversion.identityEvents);
    await this.#parts.record.writer.write({
      keys: facts.map(({ fact }) => ({ type: fact.type, id: fact.id })),
      patients: [...facts.flatMap(({ patient }) => patient ?? []), ...identities.flatMap(patientsOf)],
      texts: true,
      alone: true,
      size: facts.length,
      apply: async (set, transaction) => {
        const outcomes: Outcome[] = [];
        const pace = new Pace();
        for (const work of works) {
          const { message, conversion, facts, map, error } = work;
          const { stored, remark } = await this.#applyVersion(set, transaction, work, before.get(work), spool, pace);
          outcomes.push({
            seq: message.seq,
            conversion: remark === undefined ? conversion : withRemark(conversion, remark),
            map,
            error,
            patient: facts.find(({ fact }) => fact.type === 'Patient')?.fact.id,
            stored: stored.length,
          });
        }
        await recordOutcomes(transaction, outcomes, set.now);
      },
    });
  }

  /** Says of a message whose content cannot be right what kind of fault it has, and where; never what it says. */
  #alarm({ id, source }: Waiting, { issues }: ConvertedMessage): void {
    const errors = issues.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return;
    const places = errors.slice(0, 10).map(({ code, source: place }) => `${code} at ${place}`);
    this.#parts.log.warn(
      { message: id, source, errors: errors.length, places },
      'a message has content that cannot be right',
    );
  }

  /** Applies a message with what follows from it as a version of a document, by what was stated before. */
  async #applyVersion(
    set: WriteSet,
    transaction: Transaction,
    work: Work,
    before: readonly Statement[] = [],
    spool: TextSpool | undefined,
    pace: Pace,
  ): Promise<Pick<Applied, 'stored'> & { remark?: string | undefined }> {
    const { message, conversion } = work;
    const judgement = judgeVersion(statementOf(message.id, conversion), before);
    if (judgement === undefined) return this.#apply(set, transaction, work, spool, pace);
    if (judgement.newer !== undefined) return { stored: [], remark: remarkOn(judgement, 0) };
    const { stored } = await this.#apply(set, transaction, work, spool, pace);
    const changed = await carryOut(set, transaction, judgement, message.id);
    return { stored: [...stored, ...changed], remark: remarkOn(judgement, changed.length) };
  }

  async #apply(
    set: WriteSet,
    transaction: Transaction,
    { message, conversion, facts }: Work,
    spool: TextSpool | undefined,
    pace: Pace,
  ): Promise<Applied> {
    const { identityEvents } = conversion;
    const filed = filedAnew(set, facts);
    if (filed !== facts)
      await set.load(
        [],
        filed.flatMap(({ patient }) => patient ?? []),
      );
    const owners = ownersOfWithdrawn(set, facts);
    if (owners.length > 0) await set.load([], owners);
    // What a replayed message says about identities was decided on when it came; people may have decided since.
    if (message.again || identityEvents.length === 0) return applyInTurns(set, filed, message, spool, pace);
    const before = beginRefiling(set, identityEvents, message.id);
    const applied = await applyInTurns(set, filed, message, spool, pace);
    const content = (patient: string) => contentOf(set, transaction, patient);
    applied.stored.push(...(await refile(set, content, before, message.id)));
    for (const identity of statedIdentities(identityEvents, message.source)) this.#parts.persons.state(set, identity);
    return applied;
  }

  /** What was stated before of the documents that the messages are versions of. */
  #before(works: Work[]): Promise<Map<Work, Statement[]>> {
    return statementsBefore(this.#parts, works);
  }
}

/**
 * As `applyFacts`; where there are many, others have their turn in between.
 * @param spool where the versions of a large message wait until they are written
 */
async function applyInTurns(
  set: WriteSet,
  facts: readonly PreparedFact[],
  { id, again }: Waiting,
  spool: TextSpool | undefined,
  pace: Pace,
): Promise<Applied> {
  const applied: Applied = { stored: [], superseded: 0 };
  for (let at = 0; at < facts.length; at += factsAtOnce) {
    if (pace.isDue) await pace.rest();
    const { stored, superseded } = applyFacts(set, facts.slice(at, at + factsAtOnce), id, again);
    for (const one of stored) applied.stored.push(one);
    applied.superseded += superseded;
    if (spool) await set.settle(spool);
  }
  return applied;
}
