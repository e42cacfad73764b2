/**
 * Lists of the people for whom an organisation cares. A list is looked at first: whom the hub knows under the organisation's
 * own record number, whom the description fits alone, whom several fit, whom nobody. When it is taken it replaces the one
 * before: who is on both goes on as before, who is no longer on it is cared for no longer. Those with a record number who are
 * not known under it become Patients of the organisation, which the person index links as it does all.
 */
import { typeCode } from '@causeway/fhir';
import { factId } from '@causeway/mapping';
import type { Patient } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { matchesOf, type PersonIndex } from '../identity/index.ts';
import { codedHash, type FhirRecord, homePatient, logicalId, newId, RecordError, tokenHash } from '../record/index.ts';
import { type Access, type AccessLog, accessCondition, notify, type Participant, scopeOf } from '../trust/index.ts';
import type { PanelRow } from './panel-rows.ts';
import type { Relationships } from './relationships.ts';

export interface PanelParts {
  database: Database;
  record: FhirRecord;
  persons: PersonIndex;
  relationships: Relationships;
  accessLog: AccessLog;
}

/** What is known of one row. */
export interface Seen {
  line: number;
  /** `known`: by the organisation's own number. `matched`: the description fits one person. */
  outcome: 'known' | 'matched' | 'ambiguous' | 'unknown';
  /** Whom it is about, where that is one. */
  patient: string | undefined;
  /** It has a record number, so that it is taken whoever it turns out to be. */
  isTaken: boolean;
}

export interface Panel {
  id: string;
  uploaded: Date;
  by: string;
  state: string;
  rows: number;
  people: number;
  begun: number;
  ended: number;
  leftOut: number[];
}

/** So many people begin to be cared for in one transaction: each may be told what is there. */
const atOnce = 50;
const numberType = 'http://terminology.hl7.org/CodeSystem/v2-0203';

export class Panels {
  readonly #parts: PanelParts;

  constructor(parts: PanelParts) {
    this.#parts = parts;
  }

  /** What a list would do. @param access finds the people, as far as it may see them */
  async preview(participant: Participant, rows: readonly PanelRow[], access: Access): Promise<Seen[]> {
    if (participant.identifierSystem === undefined && rows.some(({ number }) => number !== undefined)) {
      const text = `${participant.name} has no system of its record numbers (identifierSystem), so that they name nobody.`;
      throw new RecordError(409, 'conflict', text);
    }
    const known = await this.#known(participant, rows);
    const seen: Seen[] = [];
    for (const row of rows) {
      const own = row.number === undefined ? undefined : known.get(row.number);
      const found = own ? undefined : await this.#fitting(row, access);
      seen.push({
        line: row.line,
        outcome: own ? 'known' : (found?.outcome ?? 'unknown'),
        patient: own?.patient ?? found?.patient,
        isTaken: own !== undefined || row.number !== undefined || found?.outcome === 'matched',
      });
    }
    return seen;
  }

  /**
   * Takes a list in place of the one before.
   * @throws RecordError 409 while another of the organisation is being taken
   */
  async take(participant: Participant, rows: readonly PanelRow[], access: Access): Promise<Panel> {
    const { database, accessLog } = this.#parts;
    const id = newId();
    await database.query(
      `UPDATE panel SET state = 'abandoned' WHERE participant = $1 AND state = 'applying'
         AND uploaded < now() - interval '1 hour'`,
      [participant.key],
    );
    const { rowCount } = await database.query(
      `INSERT INTO panel (id, participant, by_whom, state, rows) VALUES ($1, $2, $3, 'applying', $4)
       ON CONFLICT (participant) WHERE state = 'applying' DO NOTHING`,
      [id, participant.key, access.who, rows.length],
    );
    if (rowCount === 0) throw new RecordError(409, 'conflict', 'Another list of the organisation is being taken.');
    try {
      const seen = await this.preview(participant, rows, access);
      const kept = new Set<number>();
      let begun = 0;
      for (let i = 0; i < rows.length; i += atOnce) {
        const part = rows.slice(i, i + atOnce).map((row, n) => ({ row, seen: seen[i + n]! }));
        const taken = await this.#begin(participant, id, part);
        for (const home of taken.homes) kept.add(home);
        begun += taken.begun;
      }
      const leftOut = seen.filter(({ isTaken }) => !isTaken).map(({ line }) => line);
      await accessLog.change(async (transaction) => {
        // The others end at one moment, with which this list is the one that holds.
        const ended = await transaction.query(
          `UPDATE care_relationship SET ends = now() WHERE site = $1 AND kind = 'panel'
             AND (ends IS NULL OR ends > now()) AND home <> ALL ($2::bigint[])`,
          [participant.key, [...kept]],
        );
        await transaction.query(`UPDATE panel SET state = 'replaced' WHERE participant = $1 AND state = 'current'`, [
          participant.key,
        ]);
        await transaction.query(
          `UPDATE panel SET state = 'current', people = $2, begun = $3, ended = $4, left_out = $5 WHERE id = $1`,
          [id, kept.size, begun, ended.rowCount ?? 0, leftOut],
        );
        notify(transaction, `organization:${participant.key}`, 'panel', { panel: id, people: kept.size });
        const entry = { action: 'take-panel', what: `panel/${id} of ${participant.key}`, status: 200 };
        return { made: undefined, note: { access, entry } };
      });
      return (await this.list(participant.key, 1))[0]!;
    } catch (error) {
      await database.query(`UPDATE panel SET state = 'abandoned' WHERE id = $1 AND state = 'applying'`, [id]);
      throw error;
    }
  }

  /** The lists of an organisation, the latest first. */
  async list(participant: string, limit = 20): Promise<Panel[]> {
    const { rows } = await this.#parts.database.query(
      `SELECT id, uploaded, by_whom AS by, state, rows, people, begun, ended, left_out AS "leftOut"
       FROM panel WHERE participant = $1 ORDER BY uploaded DESC LIMIT $2`,
      [participant, limit],
    );
    return rows as unknown as Panel[];
  }

  /** Who is on the list of an organisation, since when, of those whom the access sees. */
  async members(participant: string, access: Access, limit = 500): Promise<{ patient: string; since: Date }[]> {
    const values: unknown[] = [participant, limit];
    const visible = accessCondition(access, 'r', (value) => `$${values.push(value)}`);
    const { rows } = await this.#parts.database.as(scopeOf(access)).query(
      `SELECT l.patient, min(c.starts) AS since FROM care_relationship c JOIN link l ON l.home = c.home
       WHERE c.site = $1 AND c.kind = 'panel' AND (c.ends IS NULL OR c.ends > now())
         AND EXISTS (SELECT FROM resource r WHERE r.home = c.home AND r.type = ${typeCode('Patient')} AND NOT r.deleted
           AND ${visible})
       GROUP BY l.patient ORDER BY since DESC, l.patient LIMIT $2`,
      values,
    );
    return rows as unknown as { patient: string; since: Date }[];
  }

  /** By record number, the organisation's own Patients. */
  async #known(
    { key, identifierSystem }: Participant,
    rows: readonly PanelRow[],
  ): Promise<Map<string, { patient: string; home: number }>> {
    const { index } = this.#parts.record.keys;
    const numbers = [...new Set(rows.flatMap(({ number }) => number ?? []))];
    const found = new Map<string, { patient: string; home: number }>();
    if (numbers.length === 0 || identifierSystem === undefined) return found;
    const { rows: stored } = await this.#parts.database.query(
      `SELECT v.number, l.patient, l.home FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS v (number, value, coded)
         JOIN index_token t ON t.value = v.value JOIN link l ON l.home = t.home AND l.source = $4
         JOIN resource r ON r.home = t.home AND r.rkey = t.rkey
       WHERE NOT r.deleted AND r.tokens @> ARRAY[v.coded] ORDER BY l.home DESC`,
      [
        numbers,
        index.keyed(numbers.map((number) => tokenHash('Patient', 'identifier', number))).map(String),
        index.keyed(numbers.map((number) => codedHash('Patient', 'identifier', identifierSystem, number))).map(String),
        key,
      ],
    );
    for (const { number, patient, home } of stored) found.set(number, { patient, home });
    return found;
  }

  /** Whom a row fits: the Patient that it names, or by what it says of somebody. */
  async #fitting(
    { patient, described }: PanelRow,
    access: Access,
  ): Promise<{ outcome: 'matched' | 'ambiguous'; patient: string | undefined } | undefined> {
    const { record, persons } = this.#parts;
    if (patient !== undefined) {
      const stored = await record.read(access, 'Patient', patient).catch((error) => {
        if (error instanceof RecordError) return undefined;
        throw error;
      });
      return stored && { outcome: 'matched', patient };
    }
    const found = (await matchesOf({ record, persons }, access, described)) ?? [];
    if (found.length === 0) return undefined;
    const [first] = found;
    return first!.grade === 'certain'
      ? { outcome: 'matched', patient: logicalId(first!.patient.text) }
      : { outcome: 'ambiguous', patient: undefined };
  }

  /** Begins to care for some of a list in one transaction. @returns the homes that are on it, and how many were not before */
  async #begin(
    participant: Participant,
    panel: string,
    part: readonly { row: PanelRow; seen: Seen }[],
  ): Promise<{ homes: number[]; begun: number }> {
    const { record, relationships } = this.#parts;
    const known = await this.#known(
      participant,
      part.map(({ row }) => row),
    );
    const homes = new Set<number>();
    const made = new Map<string, Patient>();
    for (const { row, seen } of part) {
      const own = row.number === undefined ? undefined : known.get(row.number);
      if (own) homes.add(own.home);
      else if (row.number !== undefined) {
        const patient = this.#own(participant, row.number, row.described);
        made.set(patient.id!, patient);
      } else if (seen.outcome === 'matched') {
        const of = (await record.homesOf([seen.patient!])).get(seen.patient!) ?? [];
        if (of[0] !== undefined) homes.add(Math.min(...of));
      }
    }
    const scanned = [...made.values()].map((patient) => record.scan(JSON.stringify(patient), 'Patient'));
    return record.writer.write({
      keys: [...made.keys()].map((id) => ({ type: 'Patient', id })),
      patients: scanned.flatMap((one, i) => homePatient(one, [...made.keys()][i]!) ?? []),
      alone: true,
      apply: (set) => {
        const all = new Set(homes);
        for (const [i, id] of [...made.keys()].entries()) {
          if (set.get('Patient', id) === undefined) set.put(scanned[i]!, 'Patient', id);
          all.add(set.homeOf(id));
        }
        set.touch();
        return relationships.onPanel(set, participant.key, panel, [...all]);
      },
    });
  }

  /** A Patient of the organisation, under the id that its messages would give it. */
  #own({ key, name, identifierSystem }: Participant, number: string, described: Patient): Patient {
    const type = { coding: [{ system: numberType, code: 'MR' }] };
    return {
      ...described,
      id: factId(key, 'Patient', identifierSystem!, number),
      meta: { tag: [{ system: 'urn:causeway:source', code: key, display: name }] },
      identifier: [{ use: 'usual', type, system: identifierSystem, value: number }],
    };
  }
}
