/**
 * Who cares for a person, and the loops that people have to close: those who look after the network see all, clinicians those of
 * their organisation and of whom it cares for, as far as they may read what they are about.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditLog } from '../audit/index.ts';
import {
  assign,
  careOf,
  close,
  isLoopKind,
  type Loop,
  LoopList,
  noteOn,
  readersOf,
  recipientsOf,
  type Viewer,
} from '../care/index.ts';
import type { Database, Transaction } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Participants } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface CareParts {
  database: Database;
  audit: AuditLog;
  authenticator: Authenticator;
  accessLog: AccessLog;
  record: FhirParts['record'];
  participants: Participants;
}

type Id = { Params: { id: string } };
type List = { Querystring: { kind?: string; state?: string; mine?: string } };

/** Those who look after the network. */
const overseers = ['integration-engineer', 'steward', 'privacy-officer', 'administrator'];
const workers = [...overseers, 'clinician'];
const chartReaders = ['clinician', 'steward', 'privacy-officer', 'administrator'];
const atOnce = 200;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function careRoutes(app: FastifyInstance, parts: CareParts): void {
  const { authenticator, accessLog, audit, record, database, participants } = parts;
  const loops = new LoopList(database);
  const nameOf = (key: string) => participants.byKey(key).name;
  const shownTo = (who: Caller, { patient, ...loop }: Loop) => ({
    ...loop,
    sourceName: nameOf(loop.source),
    siteName: loop.site === null ? null : nameOf(loop.site),
    ...(seesPatients(who) ? { patient } : {}),
  });

  app.get<{ Querystring: { patient?: string } }>('/api/care', async (request) => {
    const who = await authenticator.inPerson(request, chartReaders, 'list-care');
    const { patient = '' } = request.query;
    await record.read(who, 'Patient', patient);
    const homes = (await record.homesOf([patient])).get(patient) ?? [];
    const care = await careOf(database, who, homes);
    await accessLog.record(who, { action: 'list-care', what: `Patient/${patient}`, status: 200, patients: [patient] });
    return { care: care.map((one) => ({ ...one, siteName: nameOf(one.site) })) };
  });

  const list = async (request: FastifyRequest<List>, kind: string | undefined) => {
    const who = await authenticator.inPerson(request, kind === 'recall' ? overseers : workers, 'list-loops');
    const { state, mine } = request.query;
    if (kind !== undefined && !isLoopKind(kind)) throw new RecordError(400, 'value', 'There is no such kind.', 'kind');
    const viewer = viewerOf(who, participants);
    const found = await loops.list(
      {
        kind,
        state: state === 'late' || state === 'closed' ? state : 'open',
        assignee: mine === undefined ? undefined : who.who,
        limit: atOnce,
      },
      viewer,
    );
    const patients = seesPatients(who) ? [...new Set(found.map(({ patient }) => patient))] : [];
    await accessLog.record(who, { action: 'list-loops', what: kind ?? 'all', status: 200, patients });
    return {
      loops: found.map((loop) => shownTo(who, loop)),
      ...(viewer ? { organization: viewer.organization || null } : await loops.counts()),
    };
  };
  app.get<List>('/api/loops', (request) => list(request, request.query.kind || undefined));
  app.get<List>('/api/recalls', (request) => list(request, 'recall'));

  const open = async (request: FastifyRequest<Id>, action: string, roles = workers) => {
    const who = await authenticator.inPerson(request, roles, action);
    const { id } = request.params;
    const loop = uuid.test(id) ? await loops.read(id, viewerOf(who, participants)) : undefined;
    if (!loop) throw new RecordError(404, 'not-found', 'There is no loop of this id that you may see.');
    return { who, loop };
  };

  app.get<Id>('/api/loops/:id', async (request) => {
    const { who, loop } = await open(request, 'open-loop');
    await accessLog.record(who, entryOf(who, loop, 'open-loop', 200));
    return shownTo(who, loop);
  });

  app.get<Id>('/api/recalls/:id', async (request) => {
    const { who, loop } = await open(request, 'open-recall', overseers);
    if (loop.kind !== 'recall') throw new RecordError(404, 'not-found', 'There is no recall of this id.');
    const [recipients, readers] = await Promise.all([recipientsOf(database, loop), readersOf(database, audit, loop)]);
    await accessLog.record(who, entryOf(who, loop, 'open-recall', 200));
    const shown = recipients.map(({ patient, ...one }) => ({
      ...one,
      destinationName: nameOf(one.destination),
      ...(seesPatients(who) ? { patient } : {}),
    }));
    return { ...shownTo(who, loop), recipients: shown, readers };
  });

  /** Changes a loop and records that in one transaction. @param change returns false where it is closed already */
  const change = async (
    request: FastifyRequest<Id>,
    action: string,
    make: (transaction: Transaction, who: Caller, loop: Loop) => Promise<boolean> | Promise<void>,
  ) => {
    const { who, loop } = await open(request, action);
    await accessLog.change(async (transaction) => {
      if ((await make(transaction, who, loop)) === false)
        throw new RecordError(409, 'conflict', 'It is closed already.');
      return { made: undefined, note: { access: who, entry: entryOf(who, loop, action, 200) } };
    });
    return shownTo(who, (await loops.read(loop.id, viewerOf(who, participants))) ?? loop);
  };

  app.post<Id>('/api/loops/:id/note', (request) =>
    change(request, 'note-loop', (transaction, who, { id }) =>
      noteOn(transaction, id, who.who, text(jsonBody(request), 'note', 2_000)),
    ),
  );

  app.post<Id>('/api/loops/:id/assign', (request) =>
    change(request, 'assign-loop', (transaction, who, { id }) => {
      const { to } = jsonBody(request);
      return assign(transaction, id, who.who, to === null ? null : text(jsonBody(request), 'to', 200));
    }),
  );

  app.post<Id>('/api/loops/:id/acknowledge', (request) =>
    change(request, 'acknowledge-loop', (transaction, who, { id, kind }) => {
      if (kind !== 'critical-result' || who.role !== 'clinician')
        throw new RecordError(403, 'forbidden', 'Critical results are acknowledged, by clinicians.');
      const { note } = jsonBody(request);
      return close(transaction, id, who.who, 'acknowledged', note === undefined ? null : text({ note }, 'note', 2_000));
    }),
  );

  app.post<Id>('/api/loops/:id/close', (request) =>
    change(request, 'close-loop', (transaction, who, { id, kind }) => {
      if (kind === 'critical-result')
        throw new RecordError(403, 'forbidden', 'A critical result is closed by a clinician who acknowledges it.');
      return close(transaction, id, who.who, 'by-hand', text(jsonBody(request), 'note', 2_000));
    }),
  );
}

function isOverseer({ role }: Caller): boolean {
  return overseers.includes(role);
}

/** Engineers look after messages, not persons. */
function seesPatients({ role }: Caller): boolean {
  return role !== 'integration-engineer';
}

/** Undefined: all. A clinician of no organisation of the network has no loops. */
function viewerOf(who: Caller, participants: Participants): Viewer | undefined {
  if (isOverseer(who)) return undefined;
  const found = participants.all().find(({ key, name }) => key === who.organization || name === who.organization);
  return { access: who, organization: who.limits.own ?? found?.key ?? '' };
}

function entryOf(who: Caller, { id, patient }: Loop, action: string, status: number) {
  return { action, what: `loop/${id}`, status, ...(seesPatients(who) ? { patients: [patient] } : {}) };
}
