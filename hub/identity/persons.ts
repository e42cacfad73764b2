/** Persons as the record presents them: which source patients an id stands for, and the merged Patient. */
import { typeCode } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { type HomeKeys, openText, type Persons, ridOf, type StoredResource, withLabels } from '../record/index.ts';
import { Together } from '../together.ts';
import { type Access, homeCondition, scopeOf } from '../trust/index.ts';
import { personIdentity } from './person-rows.ts';
import { visiblePersons } from './visible-persons.ts';

const idsPerStatement = 1_000;

/** What a patient or person id stands for. */
interface SourcePatients {
  rids: string[];
  homes: number[];
}
interface Resolution {
  rid: string;
  resolve(found: SourcePatients): void;
  reject(error: unknown): void;
}

export function persons(database: Database, keys: HomeKeys): Persons {
  // Links are no part of the record that row security guards: under the scope of most searches they leave with these.
  const readers = database.as('all');
  const resolutions = new Together<Resolution>(resolveTogether, { atOnce: 2, most: idsPerStatement });

  function resolvePatient(id: string): Promise<SourcePatients> {
    return new Promise((resolve, reject) => resolutions.ask({ rid: ridOf(id), resolve, reject }));
  }

  async function resolveTogether(asked: Resolution[]): Promise<void> {
    try {
      const found = await sourcesOf(new Set(asked.map(({ rid }) => rid)));
      for (const { rid, resolve } of asked) resolve(found.get(rid)!);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  /** The source patients that ids stand for: of a person by its own id, by one it had, or by that of one of them. */
  async function sourcesOf(rids: Set<string>): Promise<Map<string, SourcePatients>> {
    const found = new Map([...rids].map((rid): [string, SourcePatients] => [rid, { rids: [], homes: [] }]));
    const linked = await readers.query({
      name: 'resolve_patients',
      text: `SELECT k.rid, m.patient, m.home FROM unnest($1::uuid[]) AS k (rid) JOIN link m ON m.person = coalesce(
               (SELECT l.person FROM link l WHERE l.patient = k.rid),
               (SELECT l.person FROM link l WHERE l.person = k.rid LIMIT 1),
               (SELECT l.person FROM link_history h JOIN link l ON l.patient = h.patient
                WHERE h.previous = k.rid ORDER BY h.id DESC LIMIT 1))`,
      values: [`{${[...rids].join(',')}}`],
    });
    for (const { rid, patient, home } of linked.rows) {
      found.get(rid)!.rids.push(patient);
      found.get(rid)!.homes.push(home);
    }
    const others = [...found].filter(([, sources]) => sources.rids.length === 0);
    if (others.length === 0) return found;
    const { rows } = await readers.query({
      name: 'resolve_homes',
      text: 'SELECT rid, home FROM patient_home WHERE rid = ANY($1::uuid[])',
      values: [`{${others.map(([rid]) => rid).join(',')}}`],
    });
    for (const [rid, { rids: own }] of others) own.push(rid);
    for (const { rid, home } of rows) found.get(rid)!.homes.push(home);
    return found;
  }

  async function load(ids: string[], access?: Access): Promise<Map<string, StoredResource>> {
    const found = new Map<string, StoredResource>();
    if (ids.length === 0) return found;
    const values: unknown[] = [ids];
    const condition = access ? homeCondition(access, 'p.home', (value) => `$${values.push(value)}`) : 'true';
    const { rows } = await (access ? database.as(scopeOf(access)) : database).query({
      text: `SELECT id, home, version, seq, updated, body,
               (SELECT bit_or(c.labels) FROM link l JOIN resource c ON c.home = l.home AND c.type = ${typeCode('Patient')}
                WHERE l.person = p.id AND l.presented = p.id AND NOT c.deleted) AS labels
             FROM person p WHERE id = ANY($1) AND ${condition}`,
      values,
    });
    const homeKeys = await keys.load(
      database,
      rows.map((row) => row.home),
    );
    for (const row of rows) {
      const key = homeKeys.get(row.home);
      if (!key) continue;
      found.set(row.id, {
        type: 'Patient',
        rid: row.id,
        home: row.home,
        rkey: 0,
        seq: row.seq,
        version: row.version,
        updated: row.updated,
        deleted: false,
        message: undefined,
        labels: row.labels ?? 0,
        text: withLabels(openText(row.body, key, personIdentity(row.id, row.version)), row.labels ?? 0),
      });
    }
    return found;
  }

  async function homesOf(ids: readonly string[]): Promise<Map<string, number[]>> {
    const found = new Map<string, number[]>();
    const unknown: string[] = [];
    for (let i = 0; i < ids.length; i += idsPerStatement) {
      const page = ids.slice(i, i + idsPerStatement);
      const { rows } = await database.query({
        name: 'homes_of',
        text: `SELECT k.place, array_agg(m.home ORDER BY m.home) AS homes
               FROM unnest($1::uuid[]) WITH ORDINALITY AS k (rid, place)
               JOIN link m ON m.person = coalesce((SELECT l.person FROM link l WHERE l.patient = k.rid), k.rid)
               GROUP BY k.place`,
        values: [page.map(ridOf)],
      });
      for (const row of rows) found.set(page[row.place - 1]!, row.homes);
      unknown.push(...page.filter((id) => !found.has(id)));
    }
    for (const id of unknown) {
      const { homes } = await resolvePatient(id);
      if (homes.length > 0) found.set(id, homes);
    }
    return found;
  }

  return {
    resolvePatient,
    homesOf,
    async present(access, found, presented) {
      const ids = [...new Set(presented.filter((person) => person !== null))];
      if (ids.length === 0) return found;
      const merged = await visiblePersons({ database, keys }, access, await load(ids));
      const shown = new Set<string>();
      const result: (StoredResource | (typeof found)[number])[] = [];
      found.forEach((stored, i) => {
        const person = presented[i];
        const shownAs = (person && merged.get(person)) || stored;
        if (shown.has(shownAs.rid)) return;
        shown.add(shownAs.rid);
        result.push(shownAs);
      });
      return result;
    },
    async readPerson(access, id) {
      const rid = ridOf(id);
      const current = await database.query({
        name: 'current_person',
        text: `SELECT DISTINCT l.presented FROM link l WHERE l.person = $1
               UNION ALL
               SELECT * FROM (SELECT l.presented FROM link_history h JOIN link l ON l.patient = h.patient
                 WHERE h.previous = $1 ORDER BY h.id DESC LIMIT 1) retired`,
        values: [rid],
      });
      const person = current.rows.find((row) => row.presented !== null)?.presented as string | undefined;
      if (person === undefined) return undefined;
      return (await visiblePersons({ database, keys }, access, await load([person], access))).get(person);
    },
  };
}
