/** The screens' own interface to subscriptions: everybody sees and stops their own, administrators all of them. */
import type { FastifyInstance } from 'fastify';
import { RecordError } from '../record/index.ts';
import { act, actions, overview, overviews, type Subscriptions } from '../subscriptions/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface SubscriptionParts {
  authenticator: Authenticator;
  accessLog: AccessLog;
  subscriptions: Subscriptions;
}

type Id = { Params: { id: string } };

export function subscriptionRoutes(app: FastifyInstance, parts: SubscriptionParts): void {
  const { authenticator, accessLog, subscriptions } = parts;

  app.get('/api/subscriptions', async (request) => {
    const who = await authenticator.caller(request, 'list-subscriptions');
    const found = await overviews(subscriptions.answering(), who);
    await accessLog.record(who, { action: 'list-subscriptions', what: request.url.slice(0, 500), status: 200 });
    return { subscriptions: found };
  });

  app.get<Id>('/api/subscriptions/:id', async (request) => {
    const who = await authenticator.caller(request, 'open-subscription');
    const { patients, ...found } = await overview(subscriptions.answering(), who, request.params.id);
    const what = request.url.slice(0, 500);
    await accessLog.record(who, { action: 'open-subscription', what, status: 200, patients });
    return found;
  });

  app.post<Id>('/api/subscriptions/:id', async (request) => {
    const who = await authenticator.caller(request, 'change-subscription');
    const asked = text(jsonBody(request), 'state', 20);
    const action = actions.find((one) => one === asked);
    if (!action) throw new RecordError(400, 'value', `state is ${actions.join(', ')}.`, 'state');
    await act(subscriptions.answering(), who, request.params.id, action);
    await accessLog.record(who, { action: `subscription-${action}`, what: request.url.slice(0, 500), status: 200 });
    return (await overview(subscriptions.answering(), who, request.params.id)).subscription;
  });
}
