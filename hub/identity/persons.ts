/** Persons as the record presents them: which source patients an id stands for, and the merged Patient. */
import type { Database } from '../database/index.ts';
import { type HomeKeys, open, type Persons, ridOf, type StoredResource } from '../record/index.ts';
import { type Access, accessCondition, scopeOf } from '../trust/index.ts';
import { personIdentity } from './person-rows.ts';

const idsPerStatement = 1_000;

export function persons(database: Database, keys: HomeKeys): Persons {
  async function resolvePatient(id: string): Promise<{ rids: string[]; homes: number[] }> {
    const rid = ridOf(id);
    const { rows } = await database.query({
      name: 'resolve_patient',
      text: `SELECT patient, home FROM link WHERE person = coalesce(
               (SELECT person FROM link WHERE patient = $1),
               (SELECT person FROM link WHERE person = $1 LIMIT 1),
               (SELECT l.person FROM link_history h JOIN link l ON l.patient = h.patient
                WHERE h.previous = $1 ORDER BY h.id DESC LIMIT 1))`,
      values: [rid],
    });
    if (rows.length > 0) return { rids: rows.map((row) => row.patient), homes: rows.map((row) => row.home) };
    const home = await database.query({
      name: 'resolve_home',
      text: 'SELECT home FROM patient_home WHERE rid = $1',
      values: [rid],
    });
    return { rids: [rid], homes: home.rows.map((row) => row.home) };
  }

  async function load(ids: string[], access?: Access): Promise<Map<string, StoredResource>> {
    const found = new Map<string, StoredResource>();
    if (ids.length === 0) return found;
    const values: unknown[] = [ids];
    const condition = access ? accessCondition(access, 'p.home', (value) => `$${values.push(value)}`) : 'true';
    const { rows } = await (access ? database.as(scopeOf(access)) : database).query({
      text: `SELECT id, home, version, seq, updated, body FROM person p WHERE id = ANY($1) AND ${condition}`,
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
        text: open(row.body, key, personIdentity(row.id, row.version)).toString(),
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
    async present(found, presented) {
      const ids = [...new Set(presented.filter((person) => person !== null))];
      if (ids.length === 0) return found;
      const merged = await load(ids);
      const shown = new Set<string>();
      const result: StoredResource[] = [];
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
      return person === undefined ? undefined : (await load([person], access)).get(person);
    },
  };
}
