/**
 * The operations of subscriptions (Subscriptions R5 Backport 1.1, "Operations"): `$status` of one and of all, `$events` for
 * what was missed. Subscriptions themselves are created, changed and read like any other resource.
 */
import type { FastifyInstance } from 'fastify';
import { RecordError } from '../record/index.ts';
import { pastEvents, statuses } from '../subscriptions/index.ts';
import { baseUrl, type FhirParts, type Params, pathOf, recordAccess } from './fhir-exchange.ts';
import { sendText } from './fhir-send.ts';
import { operationParameters } from './operation-parameters.ts';

const either = ['GET', 'POST'];

export function fhirSubscriptionRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { authenticator, subscriptions } = parts;

  app.route<{ Params: Params }>({
    method: either,
    url: '/fhir/Subscription/:id/$status',
    handler: async (request, reply) => {
      const who = await authenticator.caller(request, 'status');
      operationParameters(parts, request, { id: 'many', status: 'many' });
      const found = await statuses(subscriptions.answering(), who, [request.params.id]);
      if (found.length === 0) throw new RecordError(404, 'not-found', 'There is no Subscription of this id.');
      await recordAccess(parts, who, 'status', pathOf(request), 200);
      return sendText(request, reply, statusBundle(baseUrl(request) + pathOf(request), found));
    },
  });

  app.route({
    method: either,
    url: '/fhir/Subscription/$status',
    handler: async (request, reply) => {
      const who = await authenticator.caller(request, 'status');
      const asked = operationParameters(parts, request, { id: 'many', status: 'many' });
      const ids = asked.list('id');
      const states = asked.list('status');
      const found = await statuses(subscriptions.answering(), who, ids && ids.length > 0 ? ids : undefined, states);
      await recordAccess(parts, who, 'status', pathOf(request), 200);
      return sendText(request, reply, statusBundle(baseUrl(request) + pathOf(request), found));
    },
  });

  app.route<{ Params: Params }>({
    method: either,
    url: '/fhir/Subscription/:id/$events',
    handler: async (request, reply) => {
      const who = await authenticator.caller(request, 'events');
      const asked = operationParameters(parts, request, {
        eventsSinceNumber: 'one',
        eventsUntilNumber: 'one',
        content: 'one',
      });
      const content = asked.text('content');
      if (content !== undefined && content !== 'empty' && content !== 'id-only' && content !== 'full-resource') {
        throw new RecordError(400, 'value', 'content is empty, id-only or full-resource.', 'content');
      }
      const { bundle, patients } = await pastEvents(subscriptions.answering(), who, request.params.id, {
        from: asked.integer('eventsSinceNumber', { least: 0, most: 1e9 }),
        to: asked.integer('eventsUntilNumber', { least: 0, most: 1e9 }),
        content,
      });
      await recordAccess(parts, who, 'events', pathOf(request), 200, patients);
      return sendText(request, reply, bundle);
    },
  });

  for (const url of ['/fhir/Subscription/$get-ws-binding-token', '/fhir/Subscription/:id/$get-ws-binding-token']) {
    app.route<{ Params: Partial<Params> }>({
      method: either,
      url,
      handler: async (request, reply) => {
        const who = await authenticator.caller(request, 'get-ws-binding-token');
        const asked = operationParameters(parts, request, { id: 'many' }).list('id');
        const { id } = request.params;
        const found = await subscriptions.bindingToken(who, id === undefined ? asked : [id]);
        await recordAccess(parts, who, 'get-ws-binding-token', pathOf(request), 200);
        const parameter = [
          { name: 'token', valueString: found.token },
          { name: 'expiration', valueDateTime: found.expires.toISOString() },
          ...found.ids.map((one) => ({ name: 'subscription', valueString: one })),
          { name: 'websocket-url', valueUrl: found.url },
        ];
        return sendText(request, reply, JSON.stringify({ resourceType: 'Parameters', parameter }));
      },
    });
  }
}

function statusBundle(self: string, statuses: readonly object[]): string {
  return JSON.stringify({
    resourceType: 'Bundle',
    type: 'searchset',
    total: statuses.length,
    link: [{ relation: 'self', url: self }],
    entry: statuses.map((resource) => ({
      fullUrl: `urn:uuid:${(resource as { id: string }).id}`,
      resource,
      search: { mode: 'match' },
    })),
  });
}
