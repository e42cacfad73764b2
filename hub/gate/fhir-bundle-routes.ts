/** Batch and transaction (FHIR R4 §3.1.0.11). */
import type { FastifyInstance } from 'fastify';
import { type Audit, type BundleEntry, type EntryOutcome, type FhirRecord, RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { bundle, etag, outcomeEntry, patientsIn } from './fhir-answers.ts';
import { auditOf, baseUrl, bodyText, type FhirParts, recordAccess, type Written, writer } from './fhir-exchange.ts';
import { searchBundle } from './fhir-search-routes.ts';
import { sendBundle } from './fhir-send.ts';

export function fhirBundleRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record } = parts;

  app.post<{ Body: Buffer }>('/fhir', { bodyLimit: parts.bundleBytes }, async (request, reply) => {
    const who = await writer(parts, request, 'bundle');
    const base = baseUrl(request);
    const text = bodyText(request);
    const single = async (access: unknown, one: BundleEntry) => {
      const caller = access as Caller;
      const what = `/${one.url}`;
      try {
        const outcome = await singleEntry(record, caller, one, base, auditOf(caller, one.method, what));
        if (one.method === 'GET') {
          await recordAccess(parts, caller, 'GET', what, outcome.status, patientsIn(outcome.resource ?? ''));
        }
        return outcome;
      } catch (error) {
        if (error instanceof RecordError) await recordAccess(parts, caller, one.method, what, error.status);
        throw error;
      }
    };
    const { type, outcomes } = await record.bundle(who, text, single, (made) => {
      const what = made.map(({ location }) => location ?? '').join(' ');
      const entry = {
        action: 'transaction',
        what: what.slice(0, 500),
        status: 200,
        patients: patientsIn(`${what} ${text}`),
      };
      return { access: who, entry };
    });
    const entries = outcomes.map(outcomeEntry);
    return sendBundle(request, reply, bundle(`${type}-response`, [['self', base]], entries, undefined));
  });
}

async function singleEntry(
  record: FhirRecord,
  who: Caller,
  one: BundleEntry,
  base: string,
  audit: Audit<Written>,
): Promise<EntryOutcome> {
  const [path, query] = one.url.split('?') as [string, string | undefined];
  const [type, id] = path.split('/') as [string, string | undefined];
  if (one.method === 'GET') {
    if (id === undefined) {
      const { text } = await searchBundle(record, who, type, new URLSearchParams(query ?? ''), base, false);
      return { status: 200, resource: text };
    }
    const stored = await record.read(who, type, id);
    return { status: 200, resource: stored.text, etag: etag(stored.version), lastModified: stored.updated };
  }
  if (one.method === 'DELETE' && id !== undefined) {
    await record.remove(type, id, one, () => audit({ status: 204, text: `${type}/${id}` }));
    return { status: 204 };
  }
  if (!one.scanned) throw new RecordError(400, 'required', 'The entry has no resource.');
  const scanned = record.scan(one.scanned.text, type);
  const made =
    one.method === 'POST'
      ? await record.create(who, scanned, one.ifNoneExist, audit)
      : id === undefined
        ? await record.conditionalUpdate(who, scanned, query ?? '', one, audit)
        : await record.update(scanned, id, one, audit);
  return {
    status: made.status,
    location: `${type}/${made.id}/_history/${made.version}`,
    etag: etag(made.version),
    lastModified: made.updated,
  };
}
