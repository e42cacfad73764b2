/**
 * The authorization server's addresses (RFC 6749, RFC 7662, RFC 7009, RFC 9126, RFC 7591, OpenID Connect Discovery), what
 * SMART apps find it by, and the questions that its users are asked.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authorization } from '../authorization/index.ts';
import { clientCertificate } from '../client-certificate.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Accounts, User } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';
import type { RateLimits } from './rate-limits.ts';
import { sessionToken } from './session-cookie.ts';

export interface OAuthParts {
  authorization: Authorization;
  accounts: Accounts;
  authenticator: Authenticator;
  accessLog: AccessLog;
  rateLimits: RateLimits;
  record: FhirParts['record'];
}

type Uid = { Params: { uid: string } };

const formBytes = 56 * 1024;
const registrationBytes = 96 * 1024;

export function oauthRoutes(app: FastifyInstance, parts: OAuthParts): void {
  const { authorization } = parts;
  const hand = async (request: FastifyRequest, reply: FastifyReply) => {
    const server = await authorization.server();
    // What fails here is answered as elsewhere; after it, the provider answers for itself.
    const handed = await server.prepare(request.raw, request.body as Buffer | undefined);
    reply.hijack();
    await server.answer(request.raw, reply.raw, handed);
  };
  /** What authenticates clients: those who fail too often have to wait. */
  const handLimited = async (request: FastifyRequest, reply: FastifyReply) => {
    parts.rateLimits.check('token', request.ip);
    await hand(request, reply);
    const { statusCode } = reply.raw;
    if (statusCode === 400 || statusCode === 401) await parts.rateLimits.failed('token', request.ip);
  };
  const answered: [string[], string][] = [
    [['GET', 'POST'], '/oauth/authorize'],
    [['GET'], '/oauth/authorize/:uid'],
    [['OPTIONS'], '/oauth/introspect'],
    [['GET', 'OPTIONS'], '/oauth/jwks'],
    [['GET', 'OPTIONS'], '/oauth/.well-known/openid-configuration'],
    [['GET', 'OPTIONS'], '/oauth/.well-known/oauth-authorization-server'],
  ];
  for (const [method, url] of answered) app.route({ method, url, bodyLimit: formBytes, handler: hand });
  for (const url of ['/oauth/token', '/oauth/revoke', '/oauth/par']) {
    app.route({ method: ['POST', 'OPTIONS'], url, bodyLimit: formBytes, handler: handLimited });
  }
  app.post('/oauth/introspect', { bodyLimit: formBytes }, async (request, reply) => {
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer === undefined) return handLimited(request, reply);
    const shown = { certificate: clientCertificate(request.raw)?.thumbprint };
    return authorization.introspect(bearer, shown, request.body as Buffer | undefined);
  });
  app.post('/oauth/register', { bodyLimit: registrationBytes }, async (request, reply) => {
    const body = request.body as Buffer | undefined;
    if (!authorization.isByStatement(body)) {
      await parts.rateLimits.take('register', request.ip);
      return hand(request, reply);
    }
    await parts.rateLimits.take('statement', request.ip);
    const answer = await authorization.registerByStatement(body);
    return reply.code(answer.status).type('application/json').send(answer.body);
  });

  app.get('/fhir/.well-known/smart-configuration', async (_request, reply) => {
    const configuration = authorization.configuration();
    return reply.type('application/json').header('cache-control', 'public, max-age=300').send(configuration);
  });
  const udap: [string, (community: string | undefined) => Promise<object | undefined>][] = [
    ['/fhir/.well-known/udap', (community) => authorization.udapMetadata(community)],
    ['/oauth/.well-known/udap', (community) => authorization.providerMetadata(community)],
  ];
  for (const [url, tell] of udap) {
    app.get<{ Querystring: { community?: string | string[] } }>(url, async (request, reply) => {
      const { community } = request.query;
      const told = await tell(community === undefined ? undefined : String(community));
      if (!told) return reply.code(204).send();
      return reply.type('application/json').header('cache-control', 'public, max-age=300').send(told);
    });
  }
  app.get('/oauth/smart-style.json', async (_request, reply) =>
    reply
      .type('application/json')
      .header('access-control-allow-origin', '*')
      .header('cache-control', 'public, max-age=86400')
      .send(style),
  );

  app.get<Uid>('/oauth/interaction/:uid/question', async (request, reply) => {
    const { user } = await signedIn(parts, request);
    return authorization.question({ request: request.raw, response: reply.raw }, user);
  });

  app.post<Uid>('/oauth/interaction/:uid/answer', async (request, reply) => {
    const { user, caller, session } = await signedIn(parts, request);
    const body = jsonBody(request);
    const given = {
      isAllowed: body.isAllowed === true,
      scopes: textsOf(body.scopes),
      patient: typeof body.patient === 'string' ? body.patient : undefined,
      isMfa: await parts.accounts.isMfa(session),
    };
    if (given.patient !== undefined) await parts.record.read(caller, 'Patient', given.patient);
    const exchange = { request: request.raw, response: reply.raw };
    const { client } = await authorization.question(exchange, user);
    const next = await authorization.decide(exchange, user, session, given);
    await parts.accessLog.record(caller, {
      action: given.isAllowed ? 'allow-app' : 'refuse-app',
      what: `${client.id}${given.isAllowed ? ` ${given.scopes.join(' ')}` : ''}`.slice(0, 500),
      status: 200,
      ...(given.patient === undefined ? {} : { patients: [given.patient] }),
    });
    return { next };
  });
}

/** The look of the hub's pages, for apps that want to fit in (SMART App Launch 2.2, "smart_style_url"). */
const style = {
  color_background: '#f4f6f8',
  color_error: '#a3211a',
  color_highlight: '#0b5d6b',
  color_modal_backdrop: '',
  color_success: '#124a28',
  color_text: '#171d23',
  dim_border_radius: '6px',
  dim_font_size: '16px',
  dim_spacing_size: '16px',
  font_family_body: 'system-ui, sans-serif',
  font_family_heading: 'system-ui, sans-serif',
};

/** Who is signed in to the screens; a token is not enough to allow an app anything. @throws RecordError 401 */
async function signedIn(
  { accounts, authenticator }: OAuthParts,
  request: FastifyRequest,
): Promise<{ user: User; caller: Caller; session: string }> {
  const session = sessionToken(request);
  const user = session === undefined ? undefined : await accounts.session(session);
  if (!user || request.headers.authorization !== undefined) throw new RecordError(401, 'login', 'Sign in first.');
  return { user, caller: await authenticator.caller(request, 'answer-app'), session: session! };
}

/** @throws RecordError 400 */
function textsOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length <= 200 && value.every((one) => typeof one === 'string')) return value;
  throw new RecordError(400, 'value', 'scopes must be a list of texts.', 'scopes');
}
