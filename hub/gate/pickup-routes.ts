/** The page on which an organisation without any interface picks up a document, by the link of a mail and its PIN. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { NotPickedUp, PickedUp, Pickup } from '../outbox/index.ts';
import { documentPage, pagePolicy, pinPage } from './pickup-page.ts';

type Link = { Params: { link: string } };

const statuses: { [why in NotPickedUp]: number } = { unknown: 404, wrong: 403, locked: 429, gone: 410 };

/** @param pickup undefined where the hub sends no mail */
export function pickupRoutes(app: FastifyInstance, { pickup }: { pickup: Pickup | undefined }): void {
  app.get<Link>('/pickup/:link', async (request, reply) => {
    const waits = await pickup?.waits(request.params.link);
    return waits ? sendPage(reply, 200, pinPage()) : refuse(reply, 'unknown');
  });

  app.post<Link>('/pickup/:link', { bodyLimit: 4_096 }, async (request, reply) => {
    const { link } = request.params;
    const form = new URLSearchParams(request.body instanceof Buffer ? request.body.toString() : '');
    const ticket = form.get('ticket');
    const asked = ticket === null ? pickup?.open(link, form.get('pin') ?? '') : pickup?.download(link, ticket);
    const found = (await asked) ?? 'unknown';
    if (typeof found === 'string') return refuse(reply, found);
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
