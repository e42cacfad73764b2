/** A recall as people look at it: who was told which version when, what each was sent since, and who saw it here. */
import { typeCode } from '@causeway/fhir';
import type { AuditedEvent, AuditLog } from '../audit/index.ts';
import type { Database } from '../database/index.ts';
import type { Loop } from './loop-list.ts';

export interface Recipient {
  destination: string;
  /** By which of its routes it was told. */
  route: string;
  /** The destination's own Patient. */
  patient: string;
  /** What it was told, the first time first. */
  told: { kind: string; version: number; at: Date | null; state: string }[];
  /** What takes it back; undefined where nothing was sent. */
  recall: { kind: string; state: string; at: Date | null; attempts: number; error: string | null } | undefined;
}

/** Somebody who looked at it here. */
export interface Reader {
  who: string;
  organization: string;
  at: Date;
  /** `read`: it was asked for itself; else it may have been among what was found. */
  action: string;
}

const mostReaders = 500;
/** What somebody does who gets what is found, not one thing. */
const finding = ['search', 'everything', 'history', 'export', 'graphql', 'summary', 'open-message'];

/** Who was told of what a recall is about. */
export async function recipientsOf(
  database: Database,
  { id, focus }: Pick<Loop, 'id' | 'focus'>,
): Promise<Recipient[]> {
  const [type, rid] = focus.split('/') as [string, string];
  const { rows } = await database.query(
    `SELECT destination, route, recipient, kind, focus_version, round, state, delivered, attempts, last_error, recall FROM told
     WHERE focus_rid = $1 AND focus_type = $2
       AND (recall = $3 OR created < (SELECT opened FROM care_loop WHERE id = $3))
     ORDER BY destination, route, recipient, round`,
    [rid, typeCode(type), id],
  );
  const recipients = [...Map.groupBy(rows, (row) => `${row.destination} ${row.route} ${row.recipient}`).values()];
  return recipients.flatMap((of) => {
    const { destination, route, recipient: patient } = of[0]!;
    const own = of.find((row) => row.recall === id);
    const told = of
      .filter((row) => row !== own && row.attempts > 0)
      .map((row) => ({ kind: row.kind, version: row.focus_version, at: row.delivered, state: row.state }));
    if (told.length === 0 && !own) return [];
    const recall = own && {
      kind: own.kind,
      state: own.state,
      at: own.delivered,
      attempts: own.attempts,
      error: own.last_error,
    };
    return { destination, route, patient, told, recall };
  });
}

/** Who looked at it here, as the audit log has it: by itself, with a result of it, or perhaps among others. */
export async function readersOf(
  database: Database,
  audit: AuditLog,
  { focus, opened }: Pick<Loop, 'focus' | 'opened'>,
): Promise<Reader[]> {
  const [type, rid] = focus.split('/') as [string, string];
  const { rows } = await database.query<{ since: Date; patients: string[] }>(
    `SELECT min(r.updated) AS since, array_agg(DISTINCT l.patient::text) || array_agg(DISTINCT m.presented::text)
              || array_agg(DISTINCT m.patient::text) AS patients
     FROM (SELECT home, updated FROM resource WHERE rid = $1 AND type = $2
           UNION ALL SELECT home, updated FROM resource_history WHERE rid = $1 AND type = $2) r
     JOIN link l ON l.home = r.home JOIN link m ON m.person = l.person HAVING count(*) > 0`,
    [rid, typeCode(type)],
  );
  const [about] = rows;
  if (!about) return [];
  const readers = new Map<string, Reader>();
  for (let after: string | undefined; ; ) {
    const { since: from, patients } = about;
    const page = await audit.eventsOf({ patients, from, to: opened, limit: 500, ...(after ? { after } : {}) });
    for (const { entry } of page.events) note(readers, entry, `${type}/${rid}`);
    after = page.next;
    if (!after) break;
  }
  return [...readers.values()].sort((a, b) => b.at.getTime() - a.at.getTime()).slice(0, mostReaders);
}

function note(readers: Map<string, Reader>, entry: AuditedEvent['entry'], focus: string): void {
  const { who, organization, role, action, status, what = '' } = entry;
  const isFocus = what.replace(/^\//, '').startsWith(focus);
  const mayBeAmong = finding.includes(action) || /^\/?Binary\//.test(what);
  if (who === undefined || action === 'deliver' || role === 'system' || status >= 300 || !(isFocus || mayBeAmong))
    return;
  const key = JSON.stringify([who, organization]);
  const before = readers.get(key);
  const at = new Date(entry.at);
  readers.set(key, {
    who,
    organization,
    at: before && before.at > at ? before.at : at,
    action: isFocus || before?.action === 'read' ? 'read' : action,
  });
}
