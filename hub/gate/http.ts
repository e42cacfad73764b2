/** The HTTP server: FHIR, the screens' own interface, the inbox over HTTP, and the screens themselves. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import { RecordError } from '../record/index.ts';
import { type ApiParts, apiRoutes } from './api-routes.ts';
import { type AuthParts, authRoutes } from './auth-routes.ts';
import { outcomeOf } from './fhir-answers.ts';
import { type FhirParts, fhirRoutes } from './fhir-routes.ts';
import { type InboxParts, inboxRoutes } from './inbox-routes.ts';

export interface HttpOptions {
  /** The folder of the built screens; without it the hub serves its interfaces only. */
  screens: string | undefined;
  messageBytes: number;
  log: Logger;
}

const requestTimeoutMs = 120_000;

export function httpServer(
  options: HttpOptions,
  parts: FhirParts & ApiParts & AuthParts & InboxParts,
): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: options.messageBytes,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: 'idle',
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cache-control', reply.getHeader('cache-control') ?? 'no-store');
  });
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const attempt = parts.authenticator.attempt(request);
    if (attempt && error instanceof RecordError) {
      const what = request.url.replace(/^\/fhir/, '').slice(0, 500);
      await parts.accessLog.record(attempt.caller, { action: attempt.action, what, status: error.status });
    }
    answerError(error, request, reply, options.log);
    return reply;
  });
  app.setNotFoundHandler((request, reply) => notFound(request, reply, options.screens));
  authRoutes(app, parts);
  apiRoutes(app, parts);
  inboxRoutes(app, parts);
  fhirRoutes(app, parts);
  if (options.screens && existsSync(join(options.screens, 'index.html'))) {
    app.register(fastifyStatic, {
      root: options.screens,
      wildcard: true,
      setHeaders: (reply, path) => {
        reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
        reply.header('content-security-policy', contentSecurityPolicy);
      },
    });
  }
  return app;
}

const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** PostgreSQL's character_not_in_repertoire: a text parameter with U+0000. */
const unstorableText = '22021';

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  if (error instanceof RecordError) {
    sendError(request, reply, error.status, error);
    return;
  }
  if (error.code === unstorableText) {
    const text = 'The request holds a character that cannot be stored or searched for (U+0000).';
    sendError(request, reply, 400, new RecordError(400, 'value', text));
    return;
  }
  const status = error.statusCode ?? 500;
  if (status < 500) {
    const text = status === 413 ? 'The body is larger than this server takes; see its limits.' : error.message;
    sendError(request, reply, status, new RecordError(status, status === 413 ? 'too-long' : 'invalid', text));
    return;
  }
  log.error({ error: faultText(error), route: request.routeOptions.url }, 'a request failed');
  sendError(
    request,
    reply,
    500,
    new RecordError(500, 'invalid', 'The hub failed to answer; the failure is in its log.'),
  );
}

function sendError(request: FastifyRequest, reply: FastifyReply, status: number, error: RecordError): void {
  reply.code(status);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (request.url.startsWith('/fhir')) {
    reply.type('application/fhir+json; charset=utf-8').send(JSON.stringify(outcomeOf(error.issues)));
  } else {
    reply.type('application/json; charset=utf-8').send(JSON.stringify({ error: error.message }));
  }
}

/** Addresses of the screens are answered with the screens; they route by themselves. */
function notFound(request: FastifyRequest, reply: FastifyReply, screens: string | undefined): void {
  const isPage = request.method === 'GET' && String(request.headers.accept ?? '').includes('text/html');
  if (isPage && screens && existsSync(join(screens, 'index.html')) && !/^\/(fhir|api|auth)\b/.test(request.url)) {
    reply.sendFile('index.html');
    return;
  }
  sendError(request, reply, 404, new RecordError(404, 'not-found', 'There is nothing at this address.'));
}
