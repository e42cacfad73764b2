/**
 * Cross-origin requests to the FHIR interface, the brands and health links (SMART App Launch 2.2, "Considerations for Cross-Origin Resource Sharing"):
 * any origin may ask, since what is asked needs a token, or is encrypted; cookies are never taken from another origin.
 */
import type { FastifyInstance } from 'fastify';

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const asked =
  'Accept, Authorization, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, X-Request-Id';
const told =
  'Content-Location, DPoP-Nonce, ETag, Expires, Last-Modified, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Progress';

export function crossOrigin(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.origin === undefined || !/^\/(?:fhir|brands|shl)(?:[/?]|$)/.test(request.url)) return done();
    reply.header('access-control-allow-origin', '*').header('access-control-expose-headers', told);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done();
    reply.header('access-control-allow-methods', methods).header('access-control-allow-headers', asked);
    reply.header('access-control-max-age', '3600').code(204).send();
  });
}
