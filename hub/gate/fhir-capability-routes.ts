/** Capabilities (FHIR R4 §3.1.0.9): for everyone, signed in or not. */
import type { FastifyInstance } from 'fastify';
import { capabilityStatement } from './capability.ts';
import { baseUrl } from './fhir-exchange.ts';
import { sendText } from './fhir-send.ts';

export function fhirCapabilityRoutes(app: FastifyInstance): void {
  app.get('/fhir/metadata', async (request, reply) => sendText(request, reply, capabilityStatement(baseUrl(request))));
}
