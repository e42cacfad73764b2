/**
 * Entries of a batch that are no plain interaction on a resource: operations, histories, patches, searches by POST. They
 * are handed to the same routes that answer them alone, with the caller's own credentials.
 */
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify';
import { clientCertificate } from '../client-certificate.ts';
import type { BundleEntry, EntryOutcome, Issue } from '../record/index.ts';
import type { Authenticator } from './authenticate.ts';

/** What of the caller's request goes along. */
const handedOn = ['cookie', 'host', 'origin', 'sec-fetch-site', 'user-agent', 'prefer'];

export async function elsewhere(
  app: FastifyInstance,
  authenticator: Authenticator,
  request: FastifyRequest,
  entry: BundleEntry,
): Promise<EntryOutcome> {
  // A proof (DPoP) is for one request, and a certificate for its connection: what the caller's own token opens is lent to the
  // entry's.
  const { authorization: own = '' } = request.headers;
  const isProven = /^DPoP /i.test(own) || (own !== '' && clientCertificate(request.raw) !== undefined);
  const lent = isProven ? authenticator.lend(authenticator.attempt(request)!.caller) : undefined;
  const authorization = lent ? `Bearer ${lent.token}` : request.headers.authorization;
  try {
    return await handOn(app, request, entry, authorization);
  } finally {
    lent?.end();
  }
}

async function handOn(
  app: FastifyInstance,
  request: FastifyRequest,
  entry: BundleEntry,
  authorization: string | undefined,
): Promise<EntryOutcome> {
  const headers: Record<string, string> = { accept: 'application/fhir+json' };
  if (authorization !== undefined) headers.authorization = authorization;
  for (const name of handedOn) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const conditions = {
    'if-match': entry.ifMatch,
    'if-none-match': entry.ifNoneMatch,
    'if-none-exist': entry.ifNoneExist,
    'if-modified-since': entry.ifModifiedSince,
  };
  for (const [name, value] of Object.entries(conditions)) if (value !== undefined) headers[name] = value;
  const body = bodyOf(entry);
  if (body) headers['content-type'] = body.type;
  const answer = await app.inject({
    method: entry.method as NonNullable<InjectOptions['method']>,
    url: `/fhir/${entry.url}`,
    headers,
    ...(body ? { payload: body.payload } : {}),
  });
  return outcomeOf(answer.statusCode, answer.headers, answer.body);
}

/** A resource's text; the bytes of a Binary that brings a JSON Patch (https://hl7.org/fhir/R4/http.html#patch). */
function bodyOf({ resource, method }: BundleEntry): { type: string; payload: string | Buffer } | undefined {
  if (!resource) return undefined;
  const scanned = resource.scanned();
  const { resourceType, contentType, data } = scanned.value as {
    resourceType: string;
    contentType?: string;
    data?: string;
  };
  if (method === 'PATCH' && resourceType === 'Binary' && contentType !== undefined) {
    return { type: contentType, payload: Buffer.from(data ?? '', 'base64') };
  }
  return { type: 'application/fhir+json', payload: scanned.text };
}

function outcomeOf(status: number, headers: Record<string, unknown>, body: string): EntryOutcome {
  const header = (name: string) => (typeof headers[name] === 'string' ? (headers[name] as string) : undefined);
  const [tag, location, modified] = [header('etag'), header('location'), header('last-modified')];
  const known = {
    status,
    ...(tag === undefined ? {} : { etag: tag }),
    ...(location === undefined ? {} : { location }),
    ...(modified === undefined ? {} : { lastModified: new Date(modified) }),
  };
  if (!/\+json/.test(header('content-type') ?? '') || body === '') return known;
  if (status < 400) return { ...known, resource: body };
  const issues =
    (JSON.parse(body) as { issue?: (Omit<Issue, 'expression'> & { expression?: string[] })[] }).issue ?? [];
  return {
    ...known,
    issues: issues.map(({ severity, code, diagnostics, expression }) => ({
      severity,
      code,
      diagnostics,
      ...(expression?.[0] === undefined ? {} : { expression: expression[0] }),
    })),
  };
}
