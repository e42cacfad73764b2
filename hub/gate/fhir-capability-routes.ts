/** Capabilities (FHIR R4 §3.1.0.10): for everyone, signed in or not. */
import type { FastifyInstance } from 'fastify';
import type { Authorization } from '../authorization/index.ts';
import { RecordError } from '../record/index.ts';
import { Capabilities, type CapabilityMode } from './capability.ts';
import { baseUrl, type FhirParts, queryOf } from './fhir-exchange.ts';
import { sendText } from './fhir-send.ts';

const modes: readonly (string | null)[] = ['full', 'normative', 'terminology'];

export interface CapabilityParts extends Pick<FhirParts, 'record' | 'addresses'> {
  authorization: Pick<Authorization, 'configuration'>;
}

export function fhirCapabilityRoutes(app: FastifyInstance, parts: CapabilityParts): void {
  const capabilities = new Capabilities(parts.record, parts.addresses);
  app.get('/fhir/metadata', async (request, reply) => {
    const mode = queryOf(request).get('mode') ?? 'full';
    if (!modes.includes(mode)) {
      throw new RecordError(400, 'value', 'The parameter mode must be full, normative or terminology.', 'mode');
    }
    const { issuer } = parts.authorization.configuration();
    const { text, etag } = capabilities.statement(mode as CapabilityMode, baseUrl(request), issuer);
    reply.header('etag', etag);
    const known = request.headers['if-none-match']?.split(',').map((one) => one.trim());
    if (known?.includes(etag)) return reply.code(304).send();
    return sendText(request, reply, text);
  });
}
