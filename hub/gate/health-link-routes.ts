/**
 * SMART Health Links over HTTP: making and ending them by the person, or a parent or guardian, in the hub's own pages; and
 * opening them, by whoever has the link (https://hl7.org/fhir/uv/smart-health-cards-and-links, links specification).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { representedBy } from '../consent/index.ts';
import type { Database } from '../database/index.ts';
import { type GuardedRequest, guardedRequest } from '../guarded-request.ts';
import { RecordError } from '../record/index.ts';
import type { HealthLinks, Opened, SharedFile } from '../share/index.ts';
import { type Access, type AccessLog, accessOf, type Bindings, roles } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { type Body, jsonBody, object, only, text, wrong } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';
import type { RateLimits } from './rate-limits.ts';
import { ownAddress } from './session-cookie.ts';

export interface HealthLinkParts {
  database: Database;
  record: FhirParts['record'];
  accessLog: AccessLog;
  authenticator: Authenticator;
  bindings: Bindings;
  rateLimits: RateLimits;
  healthLinks: HealthLinks;
}

type OfPatient = { Params: { id: string; link: string } };
type ByAddress = { Params: { address: string } };

const contentTypes = ['application/fhir+json', 'application/smart-health-card', 'application/smart-api-access'];
const flags = ['', 'L', 'LP', 'P', 'U', 'LU'];
const mostFiles = 20;
/** Of all files of a link, encrypted. */
const mostBytes = 16 * 1024 * 1024;
/** SMART Health Links: an address has 128 characters at most, a label 80. */
const longestAddress = 128;
const longestLabel = 80;
const shortestPasscode = 4;
const longestRecipient = 200;
/** A client that watches a link asks again after so many seconds. */
const pollSeconds = 60;
const relayMs = 20_000;
/** Whoever opens a link is nobody whom the hub knows. */
const bearer: Access = accessOf({
  username: 'health-link',
  name: 'Whoever has the link',
  role: 'system',
  organization: 'unknown',
});

export function healthLinkRoutes(app: FastifyInstance, parts: HealthLinkParts): void {
  ownRoutes(app, parts);
  openRoutes(app, parts);
  relayRoute(app, parts);
}

function ownRoutes(app: FastifyInstance, parts: HealthLinkParts): void {
  const { healthLinks, accessLog } = parts;
  const log = (who: Caller, action: string, patient: string, what: string, status = 200) =>
    accessLog.record(who, { action, what, status, patients: [patient] });

  app.get<OfPatient>('/api/patients/:id/health-links', async (request) => {
    const { who, patient, homes } = await sharing(parts, request, 'list-health-links');
    await log(who, 'list-health-links', patient, `Patient/${patient}`);
    return { links: await healthLinks.of(homes) };
  });

  app.post<OfPatient>('/api/patients/:id/health-links', async (request, reply) => {
    const { who, patient, homes } = await sharing(parts, request, 'make-health-link');
    const asked = linkIn(jsonBody(request));
    const address = `${ownAddress(request)}/shl/`;
    if (address.length + 43 > longestAddress)
      throw new RecordError(422, 'too-long', 'The address of this hub is too long for a health link.');
    const made = await healthLinks.make({ ...asked, patient, home: homes[0]!, by: who.who });
    await log(who, 'make-health-link', patient, `health-link/${made.id}`, 201);
    return reply.code(201).send({ id: made.id, url: `${address}${made.address}` });
  });

  app.put<OfPatient>('/api/patients/:id/health-links/:link/files', { bodyLimit: mostBytes }, async (request, reply) => {
    const { who, patient, homes } = await sharing(parts, request, 'fill-health-link');
    const files = filesIn(jsonBody(request));
    const { link } = request.params;
    if (!(await healthLinks.put(linkId(link), homes, files))) throw gone();
    await log(who, 'fill-health-link', patient, `health-link/${link}`, 204);
    return reply.code(204).send();
  });

  app.delete<OfPatient>('/api/patients/:id/health-links/:link', async (request, reply) => {
    const { who, patient, homes } = await sharing(parts, request, 'revoke-health-link');
    const { link } = request.params;
    if (!(await healthLinks.revoke(linkId(link), homes))) throw gone();
    await log(who, 'revoke-health-link', patient, `health-link/${link}`, 204);
    return reply.code(204).send();
  });
}

function openRoutes(app: FastifyInstance, parts: HealthLinkParts): void {
  const { healthLinks, rateLimits, accessLog } = parts;

  /** Records who opened, or tried to, before anything leaves. */
  const recorded = async ({ ip }: FastifyRequest, opened: Opened, recipient: string): Promise<Opened> => {
    if (opened.kind === 'inactive') return opened;
    const status = opened.kind === 'passcode' ? 401 : 200;
    const entry = {
      action: 'open-health-link',
      what: `health-link/${opened.link}`,
      status,
      patients: [opened.patient],
      reason: recipient,
    };
    await accessLog.record({ ...bearer, address: ip }, entry);
    return opened;
  };
  const limited = async (address: string) => {
    const id = await healthLinks.idOf(address);
    if (id === undefined) throw gone();
    await rateLimits.take('health-link', id);
  };

  app.post<ByAddress>('/shl/:address', { bodyLimit: 16_384 }, async (request, reply) => {
    const { address } = request.params;
    await limited(address);
    const body = jsonBody(request);
    const recipient = text(body, 'recipient', longestRecipient);
    const { passcode, embeddedLengthMax } = body;
    if (passcode !== undefined && (typeof passcode !== 'string' || passcode.length > 200))
      throw wrong('passcode', 'a text');
    if (embeddedLengthMax !== undefined && !(Number.isInteger(embeddedLengthMax) && Number(embeddedLengthMax) >= 0))
      throw wrong('embeddedLengthMax', 'a whole number');
    const asked = { recipient, passcode, embeddedLengthMax: embeddedLengthMax as number | undefined };
    const opened = await recorded(request, await healthLinks.openManifest(address, asked), recipient);
    if (opened.kind === 'passcode') return reply.code(401).send({ remainingAttempts: opened.attemptsLeft });
    if (opened.kind !== 'manifest') throw gone();
    if (opened.isLongTerm) reply.header('retry-after', String(pollSeconds));
    const own = ownAddress(request);
    return {
      files: opened.files.map(({ contentType, updated, embedded, token }) => ({
        contentType,
        ...(embedded === undefined ? { location: `${own}/shl/files/${token}` } : { embedded }),
        lastUpdated: updated.toISOString(),
        status: opened.isLongTerm ? 'can-change' : 'finalized',
        ...(contentType === 'application/fhir+json' ? { fhirVersion: '4.0.1' } : {}),
      })),
    };
  });

  app.get<ByAddress>('/shl/:address', { exposeHeadRoute: false }, async (request, reply) => {
    const { address } = request.params;
    await limited(address);
    const recipient = String((request.query as { recipient?: unknown }).recipient ?? '').slice(0, longestRecipient);
    if (recipient.trim() === '')
      throw new RecordError(400, 'required', 'Say in recipient who opens the link.', 'recipient');
    const opened = await recorded(request, await healthLinks.openFile(address, recipient), recipient);
    if (opened.kind !== 'file') throw gone();
    return sendJwe(reply, opened.jwe);
  });

  // A HEAD would use the address up.
  app.get<{ Params: { token: string } }>('/shl/files/:token', { exposeHeadRoute: false }, async (request, reply) => {
    const jwe = await healthLinks.take(request.params.token);
    if (jwe === undefined) throw gone();
    return sendJwe(reply, jwe);
  });
}

/** Asks another server for a screen whose own origin that server does not let in. The key of a link never comes here. */
function relayRoute(app: FastifyInstance, { authenticator, rateLimits, accessLog }: HealthLinkParts): void {
  app.post('/api/health-link-relay', async (request, reply) => {
    const who = await authenticator.inPerson(request, roles, 'open-health-link-elsewhere');
    const { url, body } = jsonBody(request);
    if (typeof url !== 'string' || url.length > 2_000 || !URL.canParse(url)) throw wrong('url', 'an address');
    await rateLimits.take('health-link-relay', who.who);
    const { host } = new URL(url);
    const asked: GuardedRequest = {
      method: body === undefined ? 'GET' : 'POST',
      headers: { accept: '*/*', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      milliseconds: relayMs,
      bytes: mostBytes,
    };
    const answer = await guardedRequest(url, [], asked).catch(() => undefined);
    const status = answer === undefined ? 502 : 200;
    await accessLog.record(who, { action: 'open-health-link-elsewhere', what: host, status });
    if (answer === undefined)
      return reply.code(502).send({ error: 'That server may not be asked from here, or did not answer.' });
    return { status: answer.status, body: answer.body.toString('utf8') };
  });
}

function sendJwe(reply: FastifyReply, jwe: string): FastifyReply {
  return reply.type('application/jose').send(jwe);
}

function gone(): RecordError {
  return new RecordError(404, 'not-found', 'There is no such link, or it is no longer active.');
}

/**
 * Who may share a record: the person, a parent or a guardian, in person. The links are filed with the Patient to which the
 * account is bound. @throws RecordError 401, 403, 404
 */
async function sharing(
  { authenticator, bindings, database, record }: HealthLinkParts,
  request: FastifyRequest,
  action: string,
): Promise<{ who: Caller; patient: string; homes: number[] }> {
  const who = await authenticator.inPerson(request, ['patient', 'proxy'], action);
  const { id } = request.params as { id: string };
  await record.read(who, 'Patient', id);
  const homes = (await record.homesOf([id])).get(id) ?? [];
  const { decides } = await representedBy({ database, record, bindings }, who.who, who.role as 'patient', new Date());
  const bound = decides.find((one) => one.homes.some((home) => homes.includes(home)));
  if (bound) return { who, patient: bound.patient, homes: bound.homes };
  throw new RecordError(403, 'forbidden', 'Only the person, a parent or a guardian shares this record.');
}

function linkId(link: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(link)) return link;
  throw gone();
}

function linkIn(body: Body) {
  only(body, ['label', 'flag', 'passcode', 'expires'], '');
  const { flag = '', passcode, expires } = body;
  if (typeof flag !== 'string' || !flags.includes(flag)) throw wrong('flag', 'of L, P and U, where U excludes P');
  if (flag.includes('P') !== (passcode !== undefined)) throw wrong('passcode', 'there with the flag P, and only then');
  if (passcode !== undefined && text(body, 'passcode', 200).length < shortestPasscode)
    throw wrong('passcode', `a text of at least ${shortestPasscode} characters`);
  const until = expires === undefined ? undefined : new Date(String(expires));
  if (until && !(until.getTime() > Date.now())) throw wrong('expires', 'a time to come');
  return {
    label: body.label === undefined ? undefined : text(body, 'label', longestLabel),
    flag,
    passcode: passcode as string | undefined,
    expires: until,
  };
}

/** @throws RecordError 400 where something is no file that was encrypted as links have it */
function filesIn(body: Body): SharedFile[] {
  only(body, ['files'], '');
  const { files } = body;
  if (!Array.isArray(files) || files.length === 0 || files.length > mostFiles)
    throw wrong('files', `a list of 1 to ${mostFiles}`);
  return files.map((one, i) => {
    const where = `files[${i}]`;
    const { contentType, jwe } = object(one, where);
    if (typeof contentType !== 'string' || !contentTypes.includes(contentType))
      throw wrong(`${where}.contentType`, contentTypes.join(' or '));
    if (typeof jwe !== 'string' || !isEncrypted(jwe, contentType))
      throw wrong(`${where}.jwe`, 'a compact JWE of dir and A256GCM, whose cty is the contentType');
    return { contentType, jwe };
  });
}

function isEncrypted(jwe: string, contentType: string): boolean {
  const parts = /^([\w-]+)\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/.exec(jwe);
  try {
    const { alg, enc, cty, zip, ...others } = JSON.parse(Buffer.from(parts?.[1] ?? '', 'base64url').toString());
    const isKnown = alg === 'dir' && enc === 'A256GCM' && (zip === undefined || zip === 'DEF');
    return isKnown && cty === contentType && Object.keys(others).length === 0;
  } catch {
    return false;
  }
}
