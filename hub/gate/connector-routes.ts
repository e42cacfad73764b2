/**
 * Connectors over HTTP: sources from which the hub takes by itself. Administrators make, change and remove them, since they
 * say where the hub connects to and with which password; engineers look after them: run, pause, try, and map columns.
 */
import {
  type ColumnMap,
  fieldsOf,
  proposeMap,
  readColumnMap,
  type TableKind,
  tableKinds,
} from '@causeway/mapping/columns';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  type Connector,
  type ConnectorKind,
  type Connectors,
  connectorKinds,
  type FhirProgress,
  readSecrets,
  readSettings,
  SourceFault,
  type StatedConnector,
} from '../connectors/index.ts';
import { faultReason } from '../faults.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Participants, Role } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface ConnectorRouteParts {
  connectors: Connectors;
  participants: Participants;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

const engineers: Role[] = ['integration-engineer', 'administrator'];
const administrators: Role[] = ['administrator'];

type Key = { Params: { key: string } };
type Body = { [name: string]: unknown };

export function connectorRoutes(app: FastifyInstance, parts: ConnectorRouteParts): void {
  const { connectors, authenticator, accessLog } = parts;
  /** What records the request: to be called once nothing is wrong with it, and before it is carried out or answered. */
  const as = async (request: FastifyRequest, roles: Role[], action: string) => {
    const who = await authenticator.inPerson(request, roles, action);
    return () => accessLog.record(who, { action, what: request.url.slice(0, 500), status: 200 });
  };

  app.get('/api/connectors', async (request) => {
    const recorded = await as(request, engineers, 'list-connectors');
    await recorded();
    return { connectors: (await connectors.store.list()).map(shown) };
  });

  app.get<Key>('/api/connectors/:key', async (request) => {
    const recorded = await as(request, engineers, 'open-connector');
    const connector = await connectors.find(request.params.key);
    await recorded();
    const failed = await connectors.itemsOf(connector.key).failed();
    return { ...shown(connector), map: connectors.mapOf(connector) ?? null, failed };
  });

  app.put<Key>('/api/connectors/:key', async (request) => {
    const recorded = await as(request, administrators, 'change-connector');
    const { key } = request.params;
    if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(key))
      throw new RecordError(400, 'value', 'A key is lower-case letters, digits and dashes, at most 60.', 'key');
    const wanted = stated(parts, jsonBody(request));
    await recorded();
    return shown(await connectors.put(key, wanted));
  });

  app.delete<Key>('/api/connectors/:key', async (request, reply) => {
    const recorded = await as(request, administrators, 'remove-connector');
    const { key } = await connectors.find(request.params.key);
    await recorded();
    await connectors.remove(key);
    return reply.code(204).send();
  });

  app.post<Key>('/api/connectors/:key/run', async (request, reply) => {
    const recorded = await as(request, engineers, 'run-connector');
    const { key } = await connectors.runnable(request.params.key);
    await recorded();
    await connectors.runNow(key);
    return reply.code(202).send({});
  });

  for (const [name, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    app.post<Key>(`/api/connectors/:key/${name}`, async (request) => {
      const recorded = await as(request, engineers, `${name}-connector`);
      const { key } = await connectors.find(request.params.key);
      await recorded();
      await connectors.pause(key, paused);
      return shown(await connectors.find(key));
    });
  }

  app.post<Key>('/api/connectors/:key/retry', async (request, reply) => {
    const recorded = await as(request, engineers, 'retry-connector');
    const { key } = await connectors.runnable(request.params.key);
    await recorded();
    await connectors.itemsOf(key).forgetFailed();
    await connectors.runNow(key);
    return reply.code(202).send({});
  });

  app.put<Key>('/api/connectors/:key/map', async (request) => {
    const recorded = await as(request, engineers, 'change-connector-map');
    const map = mapOf(jsonBody(request));
    const { key } = await connectors.find(request.params.key);
    await recorded();
    await connectors.putMap(key, map);
    return { map };
  });

  // What is there now, read by a map that is tried; the connector's own settings, so that engineers reach nothing else.
  app.post<Key>('/api/connectors/:key/preview', async (request) => {
    const recorded = await as(request, engineers, 'try-connector');
    const { map } = jsonBody(request);
    const connector = await connectors.find(request.params.key);
    const own = { ...connector, secrets: undefined, map: map === undefined ? undefined : mapOf(map) };
    return previewed(() => connectors.preview(connector.key, own), recorded);
  });

  app.post('/api/connectors/preview', async (request) => {
    const recorded = await as(request, administrators, 'try-connector');
    const { key, ...body } = jsonBody(request);
    const connector = stated(parts, body);
    return previewed(() => connectors.preview(typeof key === 'string' ? key : 'sample', connector), recorded);
  });

  app.post('/api/connectors/proposed-map', async (request) => {
    const recorded = await as(request, engineers, 'propose-map');
    const { columns, rows, kind } = jsonBody(request);
    if (!Array.isArray(columns) || !columns.every((one) => typeof one === 'string') || columns.length > 500)
      throw new RecordError(400, 'value', 'columns must be a list of names, 500 at most.', 'columns');
    if (kind !== undefined && !tableKinds.includes(kind as TableKind))
      throw new RecordError(400, 'value', `kind must be one of ${tableKinds.join(', ')}.`, 'kind');
    await recorded();
    const sample = Array.isArray(rows) ? rows.filter((one) => typeof one === 'object' && one !== null) : [];
    const proposed = proposeMap(columns, sample, kind as TableKind | undefined);
    return { ...proposed, fields: fieldsOf(proposed.map.kind) };
  });
}

/** What an attempt to connect comes to, recorded before it is given out: what is wrong is said, and is no fault of the hub. */
async function previewed<T>(preview: () => Promise<T>, recorded: () => Promise<void>): Promise<T> {
  const found = await preview().catch((error) => {
    if (error instanceof RecordError) throw error;
    const reason = error instanceof SourceFault ? error.message : faultReason(error);
    throw new RecordError(422, 'processing', reason);
  });
  await recorded();
  return found;
}

/** @throws RecordError 400, 422 */
function stated({ participants }: ConnectorRouteParts, body: Body): StatedConnector {
  const known = ['participant', 'kind', 'settings', 'secrets', 'map'];
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new RecordError(400, 'structure', `${unknown.slice(0, 60)} is unknown; known are ${known.join(', ')}.`);
  const participant = text(body, 'participant', 60);
  if (!participants.all().some(({ key }) => key === participant))
    throw new RecordError(422, 'not-found', 'There is no participant of this key.', 'participant');
  const kind = connectorKinds.find((one) => one === body.kind);
  if (kind === undefined)
    throw new RecordError(400, 'value', `kind must be one of ${connectorKinds.join(', ')}.`, 'kind');
  return {
    participant,
    kind,
    settings: readSettings(kind as ConnectorKind, object(body.settings, 'settings')),
    secrets: body.secrets === undefined ? undefined : readSecrets(object(body.secrets, 'secrets')),
    map: body.map === undefined || body.map === null ? undefined : mapOf(body.map),
  };
}

function mapOf(value: unknown): ColumnMap {
  const map = readColumnMap(value);
  if (typeof map === 'string') throw new RecordError(400, 'value', map, 'map');
  return map;
}

function object(value: unknown, where: string): Body {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body;
  throw new RecordError(400, 'value', `${where} must be an object.`, where);
}

/** Without what is sealed, and with how late it is. */
function shown({ progress, ...connector }: Connector): object {
  const { paused, isRunning, failures, started, succeeded } = connector;
  const state = paused ? 'paused' : isRunning ? 'running' : failures > 0 ? 'failing' : started ? 'waiting' : 'new';
  const lagSeconds = succeeded && Math.round((Date.now() - succeeded.getTime()) / 1_000);
  return { ...connector, state, lagSeconds, progress: howFar(progress) };
}

/** Without the addresses that a server gave: who has one may be able to open it, and its query may name a person. */
function howFar(given: Connector['progress']): object {
  const { export: exported, pages, ...progress } = given as FhirProgress;
  const files = exported?.manifest?.output?.length;
  return {
    ...progress,
    ...(pages && { pages: { type: pages.type, at: pages.at } }),
    ...(exported && { export: { files, file: exported.file, lines: exported.lines } }),
  };
}
