/** The HTTP server: FHIR, the screens' own interface, the inbox over HTTP, and the screens themselves. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Server, TLSSocket } from 'node:tls';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Bulk } from '../bulk/index.ts';
import type { Distrust } from '../distrusting-agent.ts';
import { faultText } from '../faults.ts';
import type { Pickup } from '../outbox/index.ts';
import { RecordError, recordErrorOf } from '../record/index.ts';
import { type AccessListParts, accessListRoutes } from './access-list-routes.ts';
import { accountingRoutes } from './accounting-routes.ts';
import { type AgreementParts, agreementRoutes } from './agreement-routes.ts';
import { type ApiParts, apiRoutes } from './api-routes.ts';
import { type AppParts, appRoutes } from './app-routes.ts';
import { type AuditLogParts, auditLogRoutes } from './audit-log-routes.ts';
import { type AuthParts, authRoutes, isSignInTold } from './auth-routes.ts';
import { type BindingParts, bindingRoutes } from './binding-routes.ts';
import { bodyDeadline } from './body-deadline.ts';
import { type BrandParts, brandRoutes } from './brand-routes.ts';
import { type CareParts, careRoutes } from './care-routes.ts';
import { answerClientError } from './client-error.ts';
import { type CommunityParts, communityRoutes } from './community-routes.ts';
import { type ComplianceParts, complianceRoutes } from './compliance-routes.ts';
import { type ConnectorRouteParts, connectorRoutes } from './connector-routes.ts';
import { type ConsentParts, consentRoutes } from './consent-routes.ts';
import { crossOrigin } from './cors.ts';
import { type DeliveryParts, deliveryRoutes } from './delivery-routes.ts';
import { type EmergencyLookupParts, emergencyLookupRoutes } from './emergency-lookup-routes.ts';
import { type EmergencyParts, emergencyRoutes } from './emergency-routes.ts';
import { type ErasureRouteParts, erasureRoutes } from './erasure-routes.ts';
import { type ExplanationParts, explanationRoutes } from './explanation-routes.ts';
import { type ExternalParts, externalRoutes } from './external-routes.ts';
import { FhirAddresses } from './fhir-addresses.ts';
import { fhirAsyncRoutes } from './fhir-async-routes.ts';
import { fhirBulkRoutes } from './fhir-bulk-routes.ts';
import { type FhirParts, fhirRoutes } from './fhir-routes.ts';
import { sendError as sendFhirError } from './fhir-send.ts';
import { type HealthLinkParts, healthLinkRoutes } from './health-link-routes.ts';
import { type Hl7HttpParts, hl7HttpRoutes } from './hl7-http-routes.ts';
import { type IdpParts, idpRoutes } from './idp-routes.ts';
import { type InboxParts, inboxRoutes } from './inbox-routes.ts';
import { type KeyParts, keyRoutes } from './key-routes.ts';
import { type LabelRulesParts, labelRulesRoutes } from './label-rules-routes.ts';
import { largeBodies } from './large-bodies.ts';
import { type NetworkPolicyParts, networkPolicyRoutes } from './network-policy-routes.ts';
import { type NetworkRouteParts, networkRoutes } from './network-routes.ts';
import { type OAuthParts, oauthRoutes } from './oauth-routes.ts';
import { onboardingRoutes } from './onboarding-routes.ts';
import { type PanelRouteParts, panelRoutes } from './panel-routes.ts';
import { type ParticipantParts, participantRoutes } from './participant-routes.ts';
import { passOver } from './pass-over.ts';
import { pickupRoutes } from './pickup-routes.ts';
import { type RedactionParts, redactionRoutes } from './redaction-routes.ts';
import { refusalKind, refusedBy } from './refused.ts';
import { type RelationshipParts, relationshipRoutes } from './relationship-routes.ts';
import { type ReprocessRouteParts, reprocessRoutes } from './reprocess-routes.ts';
import { type SecurityParts, securityRoutes } from './security-routes.ts';
import { type PagesAddress, pagesAt } from './session-cookie.ts';
import { silentConnections } from './silent-connections.ts';
import { type SubscriptionParts, subscriptionRoutes } from './subscription-routes.ts';
import { takeBodies } from './take-body.ts';
import type { ServerCertificate } from './tls.ts';
import { type UserParts, userRoutes } from './user-routes.ts';
import { type WitnessRouteParts, witnessRoutes } from './witness-routes.ts';

export interface HttpOptions {
  /** The folder of the built screens; without it the hub serves its interfaces only. */
  screens: string | undefined;
  pages: PagesAddress;
  /** The certificate of a hub that speaks HTTPS itself. */
  tls: ServerCertificate | undefined;
  /** What may be held against the certificate of a connection. */
  distrust: Distrust | undefined;
  /** Proxies that say from where a request came. */
  trustedProxies: string[];
  messageBytes: number;
  log: Logger;
}

/** How long requests may take to arrive. */
const deadline = { wholeMs: 120_000, silentMs: 60_000, uploads: ['/fhir/$import'] };

export function httpServer(
  options: HttpOptions,
  parts: Omit<FhirParts, 'addresses' | 'fault'> &
    ApiParts &
    AccessListParts &
    AppParts &
    BrandParts &
    EmergencyParts &
    ErasureRouteParts &
    EmergencyLookupParts &
    NetworkPolicyParts &
    RedactionParts &
    NetworkRouteParts &
    LabelRulesParts &
    AgreementParts &
    RelationshipParts &
    AuditLogParts &
    WitnessRouteParts &
    CareParts &
    PanelRouteParts &
    CommunityParts &
    ComplianceParts &
    KeyParts &
    BindingParts &
    ConsentParts &
    HealthLinkParts &
    ExplanationParts &
    AuthParts &
    SecurityParts &
    ExternalParts &
    IdpParts &
    UserParts &
    OAuthParts &
    InboxParts &
    Hl7HttpParts &
    ParticipantParts &
    DeliveryParts &
    ConnectorRouteParts &
    SubscriptionParts & { pickup: Pickup | undefined } & ReprocessRouteParts & { bulk: Bulk },
): FastifyInstance {
  const app = Fastify({
    // A server of HTTPS is one of HTTP to all who use it here.
    ...(options.tls ? ({ https: options.tls.options() } as object) : {}),
    logger: false,
    bodyLimit: options.messageBytes,
    requestTimeout: 0,
    trustProxy: options.trustedProxies.length > 0 ? options.trustedProxies : false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => {
      const what = `${request.method} of an address that is none`;
      void parts.accessLog.strangers.refused(request.ip, what, error.statusCode ?? 400).catch(() => {});
      answerError(error, request, reply, options.log);
    },
    clientErrorHandler: answerClientError,
    forceCloseConnections: 'idle',
  });
  pagesAt(app, options.pages);
  if (options.tls) {
    strictTransport(app);
    options.tls.keepCurrent(app.server as unknown as Server);
    app.addHook('onClose', async () => options.tls!.stop());
  }
  const addresses = new FhirAddresses();
  app.addHook('onRoute', ({ method, url }) => addresses.add(method, url));
  const { distrust } = options;
  if (distrust) {
    app.addHook('onRequest', async (request) => {
      const reason = await distrust(request.raw.socket as TLSSocket);
      if (reason !== undefined) throw new RecordError(401, 'login', `The client certificate is not taken: ${reason}.`);
    });
  }
  bodyDeadline(app, deadline);
  silentConnections(app);
  crossOrigin(app);
  app.removeAllContentTypeParsers();
  takeBodies(app, parts.authenticator);
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    done();
  });
  const recordRefusal = async (request: FastifyRequest, error: FastifyError | RecordError) => {
    const status = error instanceof RecordError ? error.status : (error.statusCode ?? 500);
    const attempt = parts.authenticator.attempt(request);
    if (attempt) {
      const what = request.url.replace(/^\/fhir/, '').slice(0, 500);
      const kind = refusalKind(status, attempt.caller);
      if (kind) parts.refusals.observe(refusedBy(kind, attempt));
      await parts.accessLog.record(attempt.caller, { action: attempt.action, what, status });
    } else if (status < 500 && !isToldElsewhere(request)) {
      const what = `${request.method} ${request.routeOptions.url ?? ''}`;
      await parts.accessLog.strangers.refused(request.ip, what, status);
    }
  };
  app.setErrorHandler(async (fault: FastifyError, request, reply) => {
    if (!request.raw.complete) passOver(request.raw);
    const error = recordErrorOf(fault) ?? fault;
    if (error instanceof RecordError && !(fault instanceof RecordError) && error.status >= 500) {
      const route = request.routeOptions.url;
      options.log.warn({ error: faultText(fault), route }, 'the database did not do what was asked of it');
    }
    await recordRefusal(request, error).catch((reason) => {
      options.log.error({ error: faultText(reason) }, 'an access that failed was not recorded');
    });
    answerError(error, request, reply, options.log);
    return reply;
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (isOfScreens(request, options.screens)) return reply.sendFile('index.html');
    const error = isFhir(request)
      ? addresses.refusal(request.method, request.url)
      : new RecordError(404, 'not-found', 'There is nothing at this address.');
    // Nobody asked who it is; with nothing to tell it by, it is a stranger.
    await parts.authenticator.caller(request).catch(() => {});
    await recordRefusal(request, error).catch((reason) => {
      options.log.error({ error: faultText(reason) }, 'an access that failed was not recorded');
    });
    sendError(request, reply, error);
    return reply;
  });
  authRoutes(app, parts);
  securityRoutes(app, parts);
  externalRoutes(app, parts);
  communityRoutes(app, parts);
  userRoutes(app, parts);
  oauthRoutes(app, parts);
  idpRoutes(app, parts);
  appRoutes(app, parts);
  brandRoutes(app, parts);
  emergencyRoutes(app, parts);
  erasureRoutes(app, parts);
  emergencyLookupRoutes(app, parts);
  bindingRoutes(app, parts);
  consentRoutes(app, parts);
  healthLinkRoutes(app, parts);
  explanationRoutes(app, parts);
  networkPolicyRoutes(app, parts);
  networkRoutes(app, parts);
  labelRulesRoutes(app, parts);
  agreementRoutes(app, parts);
  onboardingRoutes(app, parts);
  redactionRoutes(app, parts);
  relationshipRoutes(app, parts);
  careRoutes(app, parts);
  auditLogRoutes(app, parts);
  witnessRoutes(app, parts);
  panelRoutes(app, parts);
  complianceRoutes(app, parts);
  keyRoutes(app, parts);
  apiRoutes(app, parts);
  accessListRoutes(app, parts);
  accountingRoutes(app, parts);
  reprocessRoutes(app, parts);
  inboxRoutes(app, parts);
  hl7HttpRoutes(app, parts);
  participantRoutes(app, parts);
  deliveryRoutes(app, parts);
  connectorRoutes(app, parts);
  subscriptionRoutes(app, parts);
  largeBodies(app, parts.largeBodies, parts.authenticator);
  pickupRoutes(app, parts);
  const fault = (error: unknown, route: string) =>
    options.log.error({ error: faultText(error), route }, 'a part of a request failed');
  fhirRoutes(app, { ...parts, addresses, fault });
  fhirBulkRoutes(app, { ...parts, addresses, fault });
  fhirAsyncRoutes(app, { ...parts, addresses, fault });
  if (options.screens && existsSync(join(options.screens, 'index.html'))) {
    app.register(fastifyStatic, {
      root: options.screens,
      wildcard: true,
      setHeaders: (reply, path) => {
        reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
        if (path.endsWith('/verifier.html')) {
          // It brings a policy of its own, and is kept by whom it is to serve.
          reply.header('content-disposition', 'attachment; filename="verifier.html"');
        } else reply.header('content-security-policy', contentSecurityPolicy);
      },
    });
  }
  return app;
}

/** Sign-ins that fail are told with their account; a page that asks who is signed in is refused nothing. */
function isToldElsewhere(request: FastifyRequest): boolean {
  return isSignInTold(request) || request.routeOptions.url === '/auth/session';
}

/** Browsers come back by HTTPS only (RFC 6797). Set on the connection's own answer, which the authorization server uses too. */
function strictTransport(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.raw.setHeader('strict-transport-security', 'max-age=31536000');
    done();
  });
}

const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

function answerError(
  error: FastifyError | RecordError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): void {
  if (error instanceof RecordError) {
    if (error.status >= 500) log.warn({ status: error.status, issue: error.issues[0]?.code }, 'a request was put off');
    sendError(request, reply, error);
    return;
  }
  const status = error.statusCode ?? 500;
  if (status < 500) {
    const { code, text } = unreadable[status] ?? {
      code: 'invalid',
      text: 'The request cannot be read as HTTP has it.',
    };
    sendError(request, reply, new RecordError(status, code, text));
    return;
  }
  log.error({ error: faultText(error), route: request.routeOptions.url }, 'a request failed');
  sendError(request, reply, new RecordError(500, 'exception', 'The hub failed to answer; the failure is in its log.'));
}

/** What HTTP itself finds wrong with a request; the framework's own sentences repeat what was sent. */
const unreadable: { [status: number]: { code: 'too-long' | 'not-supported' | 'invalid'; text: string } } = {
  400: { code: 'invalid', text: 'The address or a header of the request is not well-formed.' },
  413: { code: 'too-long', text: 'The body is larger than this server takes; see its limits.' },
  414: { code: 'too-long', text: 'A part of the address is longer than any id or name that this server has.' },
  415: { code: 'not-supported', text: 'The Content-Type of the request is not one that this server reads.' },
};

function sendError(request: FastifyRequest, reply: FastifyReply, error: RecordError): void {
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  if (isFhir(request)) {
    sendFhirError(request, reply, error);
  } else {
    reply.code(error.status).headers(error.headers).type('application/json; charset=utf-8');
    reply.send(JSON.stringify({ error: error.message }));
  }
}

/** Addresses of the screens are answered with the screens; they route by themselves. */
function isOfScreens({ method, headers, url }: FastifyRequest, screens: string | undefined): boolean {
  if (method !== 'GET' || !String(headers.accept ?? '').includes('text/html')) return false;
  return screens !== undefined && existsSync(join(screens, 'index.html')) && !/^\/(fhir|api|auth)\b/.test(url);
}

function isFhir(request: FastifyRequest): boolean {
  return /^\/fhir(?:[/?]|$)/.test(request.url);
}
