/**
 * The deliveries over HTTP: `GET /api/deliveries` lists them (`state`, `destination`, `route`, `before`, `limit`),
 * `POST /api/deliveries/:id/replay` sends one again that was given up, `POST /api/deliveries/replay` some: `{ destination,
 * route?, from?, to?, delivered? }`. `POST /api/participants/:key/routes/:name/test` tries a route; `POST /api/route-filters/try` filters
 * on a sample that is not kept: `{ filters, sample }`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Transaction } from '../database/index.ts';
import { type Deliveries, type TryRoute, tryFilters } from '../outbox/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Participants, Role } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, only, text, wrong } from './body.ts';

export interface DeliveryParts {
  deliveries: Deliveries;
  participants: Participants;
  authenticator: Authenticator;
  accessLog: AccessLog;
  tryRoute: TryRoute;
}

const engineers: Role[] = ['integration-engineer', 'administrator', 'system'];
const states = ['waiting', 'failed', 'delivered', 'accepted', 'dead', 'cancelled', 'already-delivered'];
const pageSize = 50;
const mostOnPage = 200;

type List = { Querystring: { state?: string; destination?: string; route?: string; before?: string; limit?: string } };

export function deliveryRoutes(app: FastifyInstance, parts: DeliveryParts): void {
  const { deliveries, participants, authenticator, accessLog } = parts;
  /** What records the request once nothing is wrong with it: before it is answered, or in the transaction that carries it out. */
  const as = async (request: FastifyRequest, action: string) => {
    const who = await authenticator.caller(request, action);
    if (!engineers.includes(who.role)) throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    const entry = { action, what: request.url.slice(0, 500), status: 200 };
    return {
      recorded: () => accessLog.record(who, entry),
      also: (transaction: Transaction) => accessLog.recordWith(transaction, [{ access: who, entry }]),
    };
  };

  app.get<List>('/api/deliveries', async (request) => {
    const { recorded } = await as(request, 'list-deliveries');
    const { state, destination, route, before, limit } = request.query;
    if (state && !states.includes(state)) throw wrong('state', `one of ${states.join(', ')}`);
    const number = (value: string | undefined, name: string) => {
      if (value !== undefined && !/^\d{1,15}$/.test(value)) throw wrong(name, 'a number');
      return value === undefined ? undefined : Number(value);
    };
    const size = Math.max(1, Math.min(number(limit, 'limit') ?? pageSize, mostOnPage));
    const asked = { state, destination, route, before: number(before, 'before'), limit: size };
    await recorded();
    return deliveries.list(asked);
  });

  app.post<{ Params: { id: string } }>('/api/deliveries/:id/replay', async (request) => {
    const { also } = await as(request, 'replay-delivery');
    return { replayed: await deliveries.replay(request.params.id, also) };
  });

  app.post('/api/deliveries/replay', async (request) => {
    const { also } = await as(request, 'replay-deliveries');
    const body = jsonBody(request);
    only(body, ['destination', 'route', 'from', 'to', 'delivered'], '');
    const { delivered = false } = body;
    if (typeof delivered !== 'boolean') throw wrong('delivered', 'true or false');
    const [from, to] = [timeOf(body.from, 'from'), timeOf(body.to, 'to')];
    if (delivered && !from) throw wrong('from', 'told, where what was delivered is sent again');
    const route = body.route === undefined ? undefined : text(body, 'route', 40);
    const asked = { destination: text(body, 'destination', 60), route, from, to, delivered };
    return { replayed: await deliveries.replaySome(asked, also) };
  });

  app.post('/api/route-filters/try', async (request) => {
    const { recorded } = await as(request, 'try-filters');
    const body = jsonBody(request);
    only(body, ['filters', 'sample'], '');
    const found = tryFilters(filtersOf(body.filters), text(body, 'sample', sampleAtMost));
    await recorded();
    return found;
  });

  app.post<{ Params: { key: string; name: string } }>('/api/participants/:key/routes/:name/test', async (request) => {
    const { recorded } = await as(request, 'test-route');
    const { key, name } = request.params;
    const participant = participants.byKey(key);
    const route = participant.routes?.find((one) => one.name === name);
    if (!route) throw new RecordError(404, 'not-found', 'There is no route of this name.');
    await recorded();
    return parts.tryRoute(route, participant);
  });
}

const filtersAtMost = 20;
const sampleAtMost = 200_000;

function filtersOf(value: unknown): string[] {
  const isText = (one: unknown) => typeof one === 'string' && one.length <= 1_000;
  if (!Array.isArray(value) || value.length > filtersAtMost || !value.every(isText)) {
    throw wrong('filters', `a list of at most ${filtersAtMost} searches`);
  }
  return value;
}

function timeOf(value: unknown, name: string): Date | undefined {
  if (value === undefined) return undefined;
  const time = new Date(typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(time.getTime())) throw wrong(name, 'a time, as 2026-11-26T08:00:00Z');
  return time;
}
