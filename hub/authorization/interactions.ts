/**
 * What a user is asked when an app wants to be connected, and what the answer makes of it. The question is bound to the
 * browser by a cookie; the answer may allow less than was asked for, scope by scope, and by narrower scopes.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { RecordError } from '../record/index.ts';
import { includesScope, readScope, type User } from '../trust/index.ts';
import { launchScopes, resourceScopes } from './client-rules.ts';
import type { LaunchContext, OAuthGrants } from './grants.ts';
import type { Launch, Launches } from './launches.ts';

/** The request and answer that carry the cookies of the question. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** What an app asks for. */
export interface Question {
  client: { id: string; name: string; uri: string | undefined; isNative: boolean };
  /** The host, or the scheme, to which the browser goes back. */
  returnTo: string;
  scopes: string[];
  /** Whether it is told who the user is, for signing them in elsewhere (UDAP Tiered OAuth), and in which words that is told. */
  signsIn: boolean;
  /** Whether a patient has to be chosen. */
  needsPatient: boolean;
  /** The patient for whom the app was started, where it was started from the hub's pages by this user. */
  launch: Launch | undefined;
}

export interface Answer {
  isAllowed: boolean;
  /** Those that are allowed; each included in one that was asked for. */
  scopes: string[];
  patient: string | undefined;
  /** Whether the user proved by two factors who they are. */
  isMfa: boolean;
}

export interface InteractionParts {
  provider: Provider;
  /** The FHIR base, by which scopes for resources are granted. */
  fhir: string;
  grants: OAuthGrants;
  launches: Launches;
  /** The user as a resource: `Practitioner/…`; undefined where there is none. */
  fhirUserOf(user: User): Promise<string | undefined>;
  /** Whether the hub signs its users in for the clients of a trust community. */
  isProvider(community: unknown): boolean;
}

type RequestParameters = { client_id: string; redirect_uri: string; launch?: string; idp?: string };

/** @throws RecordError 404 where the browser was asked nothing, or too long ago; 400 for a launch that is not this user's */
export async function question(parts: InteractionParts, exchange: Exchange, user: User): Promise<Question> {
  const interaction = await pending(parts, exchange);
  const {
    client_id: clientId,
    redirect_uri: redirectUri,
    launch: handle,
    idp,
  } = interaction.params as RequestParameters;
  const client = await parts.provider.Client.find(clientId);
  if (!client) throw new RecordError(404, 'not-found', 'The app is not registered any more.');
  const asked = openScopes(String(interaction.params.scope ?? ''), String(client.allowed_scopes ?? ''));
  const launch = await launchOf(parts, asked, handle, clientId, user);
  // `udap` says how the user is signed in, not what the app may do.
  const scopes = asked.filter((scope) => scope !== 'udap' && (launch !== undefined || scope !== 'launch'));
  return {
    client: {
      id: clientId,
      name: client.clientName ?? clientId,
      uri: client.clientUri,
      isNative: client.applicationType === 'native',
    },
    returnTo: new URL(redirectUri).host || new URL(redirectUri).protocol,
    scopes,
    // Of a client that names no other provider.
    signsIn: asked.includes('udap') && idp === undefined && parts.isProvider(client.udap_community),
    needsPatient: launch === undefined && needsPatient(scopes),
    launch,
  };
}

/**
 * Records the answer; returns the address to which the browser goes on.
 * @param session the token of the user's sign-in, with which access ends that is not `offline_access`
 * @throws RecordError 400 where more is allowed than was asked for, or a patient is missing
 */
export async function answer(
  parts: InteractionParts,
  exchange: Exchange,
  user: User,
  session: string,
  given: Answer,
): Promise<string> {
  const interaction = await pending(parts, exchange);
  const left = interaction.exp - Math.floor(Date.now() / 1000);
  if (!given.isAllowed) {
    interaction.result = { error: 'access_denied', error_description: 'the user did not allow it' };
    await interaction.save(left);
    return interaction.returnTo;
  }
  const asked = await question(parts, exchange, user);
  const allowed = [...checkedScopes(asked.scopes, given.scopes), ...(asked.signsIn ? ['udap'] : [])];
  const isNamed = allowed.includes('fhirUser') || allowed.includes('profile');
  const fhirUser = isNamed ? await parts.fhirUserOf(user) : undefined;
  const scopes = fhirUser === undefined ? allowed.filter((scope) => scope !== 'fhirUser') : allowed;
  const patient = asked.launch?.patient ?? (needsPatient(scopes) ? given.patient : undefined);
  if (needsPatient(scopes) && patient === undefined) {
    throw new RecordError(400, 'required', 'Choose the patient whose record the app may see.', 'patient');
  }
  const { launch: handle } = interaction.params as RequestParameters;
  if (asked.launch && !(await parts.launches.end(handle!))) throw endedLaunch();
  const context: LaunchContext = {
    ...(patient === undefined ? {} : { patient }),
    ...(asked.launch?.encounter === undefined ? {} : { encounter: asked.launch.encounter }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
    ...(asked.launch ? { isEmbedded: true, tenant: user.organization } : {}),
    ...(asked.launch && asked.launch.about.length > 0 ? { about: asked.launch.about } : {}),
    ...(asked.launch?.intent === undefined ? {} : { intent: asked.launch.intent }),
  };
  const ending = scopes.includes('offline_access') ? undefined : createHash('sha256').update(session).digest();
  const grantId = await grant(parts, user, asked.client.id, scopes, { context, ending });
  // What follows asks for nothing but what was allowed.
  interaction.params.scope = scopes.join(' ');
  const amr = given.isMfa ? ['mfa'] : [];
  interaction.result = { login: { accountId: user.username, remember: false, amr }, consent: { grantId } };
  await interaction.save(left);
  return interaction.returnTo;
}

async function pending({ provider }: InteractionParts, { request, response }: Exchange) {
  try {
    return await provider.interactionDetails(request, response);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    throw new RecordError(
      404,
      'not-found',
      'This request has expired or was answered. Go back and start the app again.',
    );
  }
}

/** Those that are asked for and that the client may have. */
function openScopes(asked: string, allowed: string): string[] {
  const wide = resourceScopes(allowed);
  const names = allowed.split(' ');
  return [...new Set(asked.split(' '))].filter((text) => {
    if (launchScopes.includes(text)) return names.includes(text);
    const scope = readScope(text);
    return !('refused' in scope) && scope.context !== 'system' && wide.some((one) => includesScope(one, scope));
  });
}

async function launchOf(
  { launches }: InteractionParts,
  scopes: string[],
  handle: string | undefined,
  clientId: string,
  user: User,
): Promise<Launch | undefined> {
  if (!scopes.includes('launch') || handle === undefined) return undefined;
  const launch = await launches.find(handle, clientId, user.username);
  if (!launch) throw endedLaunch();
  return launch;
}

function endedLaunch(): RecordError {
  const text = 'This start of the app has expired, or was another user’s. Open the app from the chart again.';
  return new RecordError(400, 'invalid', text, 'launch');
}

function needsPatient(scopes: string[]): boolean {
  return scopes.includes('launch/patient') || scopes.some((text) => text.startsWith('patient/'));
}

/** @throws RecordError 400 where one is not included in what was asked for, or nothing is left */
function checkedScopes(asked: string[], allowed: string[]): string[] {
  const wide = resourceScopes(asked.join(' '));
  for (const text of allowed) {
    if (asked.includes(text)) continue;
    const narrow = readScope(text);
    if ('refused' in narrow || !wide.some((one) => includesScope(one, narrow))) {
      throw new RecordError(400, 'value', 'What is allowed must be part of what the app asked for.', 'scopes');
    }
  }
  const scopes = [...new Set([...asked.filter((scope) => scope === 'openid'), ...allowed])];
  if (scopes.every((scope) => scope === 'openid') && asked.some((scope) => scope !== 'openid')) {
    throw new RecordError(400, 'value', 'Nothing is allowed; refuse the app instead.', 'scopes');
  }
  return scopes;
}

async function grant(
  { provider, fhir, grants }: InteractionParts,
  user: User,
  clientId: string,
  scopes: string[],
  { context, ending }: { context: LaunchContext; ending: Buffer | undefined },
): Promise<string> {
  const made = new provider.Grant({ accountId: user.username, clientId });
  const about = scopes.filter((scope) => launchScopes.includes(scope));
  const resources = scopes.filter((scope) => !launchScopes.includes(scope));
  if (about.length > 0) made.addOIDCScope(about.join(' '));
  if (resources.length > 0) made.addResourceScope(fhir, resources.join(' '));
  const id = await made.save();
  await grants.bind(id, context, ending);
  return id;
}
