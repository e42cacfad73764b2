/** The page on which an organisation without any interface picks up a document, by the link of a mail and its PIN. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NotPickedUp, PickedUp, Pickup } from '../outbox/index.ts';
import type { AccessLog } from '../trust/index.ts';
import { documentPage, pagePolicy, pinPage } from './pickup-page.ts';

type Link = { Params: { link: string } };

const statuses: { [why in NotPickedUp]: number } = { unknown: 404, wrong: 403, locked: 429, gone: 410 };

/** @param pickup undefined where the hub sends no mail */
export function pickupRoutes(
  app: FastifyInstance,
  { pickup, accessLog }: { pickup: Pickup | undefined; accessLog: AccessLog },
): void {
  const refused = async (request: FastifyRequest, reply: FastifyReply, why: NotPickedUp) => {
    const what = `${request.method} ${request.routeOptions.url}`;
    await accessLog.strangers.refused(request.ip, what, statuses[why]);
    return refuse(reply, why);
  };
  app.get<Link>('/pickup/:link', async (request, reply) => {
    const waits = await pickup?.waits(request.params.link);
    return waits ? sendPage(reply, 200, pinPage()) : refused(request, reply, 'unknown');
  });

  app.post<Link>('/pickup/:link', { bodyLimit: 4_096 }, async (request, reply) => {
    const { link } = request.params;
    const form = new URLSearchParams(request.body instanceof Buffer ? request.body.toString() : '');
    const ticket = form.get('ticket');
    const asked = ticket === null ? pickup?.open(link, form.get('pin') ?? '') : pickup?.download(link, ticket);
    const found = (await asked) ?? 'unknown';
    // What is tried with a PIN, or is gone, is recorded with the document.
    const isTold = found === 'gone' || (found === 'wrong' && ticket === null);
    if (typeof found === 'string') return isTold ? refuse(reply, found) : refused(request, reply, found);
    return ticket === null ? sendPage(reply, 200, documentPage(found)) : download(reply, found);
  });
}

function refuse(reply: FastifyReply, why: NotPickedUp): FastifyReply {
  return sendPage(reply, statuses[why], pinPage(why));
}

function sendPage(reply: FastifyReply, status: number, html: string): FastifyReply {
  reply.header('content-security-policy', pagePolicy);
  return reply.code(status).type('text/html; charset=utf-8').send(html);
}

function download(reply: FastifyReply, { bytes, mediaType }: PickedUp): FastifyReply {
  reply.header('content-disposition', 'attachment; filename="document.xml"');
  reply.header('content-security-policy', "default-src 'none'; sandbox");
  return reply.type(mediaType).send(Buffer.from(bytes));
}
