/** What a client prefers (RFC 7240; FHIR R4 §3.1.0.1, §3.1.1): preferences that are not known are passed over. */
import type { FastifyRequest } from 'fastify';

export type ReturnPreference = 'minimal' | 'representation' | 'OperationOutcome';

/** What `Prefer: return=` asks for; undefined where it asks for nothing this server knows. */
export function returnPreference(request: FastifyRequest): ReturnPreference | undefined {
  const { prefer } = request.headers;
  if (prefer === undefined) return undefined;
  const wanted = /(?:^|[,;\s])return\s*=\s*"?(minimal|representation|OperationOutcome)\b/.exec(String(prefer))?.[1];
  return wanted as ReturnPreference | undefined;
}

/** Whether what is not understood may be left out with a warning (`handling=lenient`); strict is what is usual here. */
export function isLenient(request: FastifyRequest): boolean {
  const { prefer } = request.headers;
  return prefer !== undefined && /(?:^|[,;\s])handling\s*=\s*"?lenient\b/.test(String(prefer));
}
