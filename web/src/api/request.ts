/**
 * One way to ask the hub. Answers that are not 2xx become an `ApiError` whose message can be shown to the person at
 * the screen: the hub's own sentence (`{error}`), the diagnostics of an OperationOutcome, or what the status means.
 */
import { parseKeepingDigits } from '../fhir/decimals.ts';

export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** GET that answers JSON. Numbers of FHIR resources keep the digits the source wrote (see `fhir/decimals.ts`). */
export async function getJson<T>(path: string, signal?: AbortSignal, emergency?: string): Promise<T> {
  const accept = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json';
  const response = await reach(path, { headers: { accept, ...under(emergency) }, signal });
  return parseKeepingDigits(await response.text()) as T;
}

/** GET that answers the body as text, for the contents of documents. */
export async function getText(path: string, accept: string, signal?: AbortSignal, emergency?: string): Promise<string> {
  const response = await reach(path, { headers: { accept, ...under(emergency) }, signal });
  return response.text();
}

/** When somebody last did something at the screen: what pages ask by themselves does not keep the session. */
let lastInput = Date.now();
const unattendedMs = 60_000;
if (typeof window !== 'undefined') {
  for (const event of ['pointerdown', 'keydown']) {
    window.addEventListener(event, () => (lastInput = Date.now()), { capture: true, passive: true });
  }
}

function attendance(): Record<string, string> {
  return Date.now() - lastInput > unattendedMs ? { 'x-unattended': '1' } : {};
}

/** @param emergency id of the emergency access under which something is read */
function under(emergency: string | undefined): Record<string, string> {
  return emergency === undefined ? {} : { 'x-emergency-access': emergency };
}

/** POST of a JSON body; an empty answer gives `undefined`. */
export function postJson<T>(path: string, body: unknown): Promise<T> {
  return sendJson('POST', path, body);
}

/** PUT of a JSON body. */
export function putJson<T>(path: string, body: unknown): Promise<T> {
  return sendJson('PUT', path, body);
}

/** PATCH of a JSON body. */
export function patchJson<T>(path: string, body: unknown): Promise<T> {
  return sendJson('PATCH', path, body);
}

/** DELETE, with a JSON body where the hub wants to know why. */
export function deleteJson<T>(path: string, body?: unknown): Promise<T> {
  return sendJson('DELETE', path, body);
}

/** What an organisation that was invited asks, by the token of its link. */
export async function askInvited<T>(token: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-invitation': token };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await reach(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function sendJson<T>(method: string, path: string, body: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await reach(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const headers = { ...init.headers, ...attendance() };
    response = await fetch(path, { credentials: 'same-origin', ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The hub cannot be reached. Check that it is running and that this computer is online.');
  }
  if (!response.ok) throw new ApiError(response.status, await errorText(response));
  return response;
}

async function errorText(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as {
      error?: unknown;
      issue?: { diagnostics?: string; details?: { text?: string } }[];
    };
    if (typeof body.error === 'string' && body.error !== '') return body.error;
    const told = body.issue?.map((issue) => issue.diagnostics ?? issue.details?.text).find(Boolean);
    if (told) return told;
  } catch {
    // The body is not JSON: the status has to speak for itself.
  }
  return MEANING[response.status] ?? `The hub answered with status ${response.status}.`;
}

const MEANING: Record<number, string> = {
  401: 'You are not signed in, or your session has ended.',
  403: 'Your role does not allow this.',
  404: 'This does not exist, or it is no longer here.',
  410: 'This has been deleted.',
  429: 'Too many attempts. Wait a little and try again.',
  500: 'The hub met a fault of its own. It has been logged.',
  503: 'The hub is not ready yet. Try again in a moment.',
};
