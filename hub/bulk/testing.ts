/** Talking to a hub's bulk data as a client does. */
import type { Answer, CallOptions, HubCalls, Json } from '../testing-calls.ts';

export type AskedHub = Pick<HubCalls, 'url' | 'get' | 'send'>;

/** The hub as a client with an access token asks it. */
export function withBearer(hub: AskedHub, token: string): AskedHub {
  const send: AskedHub['send'] = (method, path, body, options = {}) =>
    hub.send(method, path, body, { role: null, headers: { authorization: `Bearer ${token}`, ...options.headers } });
  return { url: hub.url, send, get: (path, options) => send('GET', path, undefined, options) };
}

export const kickOffHeaders = { accept: 'application/fhir+json', prefer: 'respond-async' };

export function kickOff(hub: AskedHub, path: string, body?: object, options: CallOptions = {}): Promise<Answer> {
  const headers = { ...kickOffHeaders, ...options.headers };
  const type = { 'content-type': 'application/fhir+json' };
  return hub.send(body ? 'POST' : 'GET', path, body, { ...options, headers: body ? { ...type, ...headers } : headers });
}

/** The path of a job's status. */
export function statusOf(hub: AskedHub, answer: Answer): string {
  return pathIn(hub, answer.headers.get('content-location')!);
}

export function pathIn(hub: AskedHub, url: string): string {
  if (!url.startsWith(`${hub.url}/`)) throw new Error('The address is not below the base that was asked.');
  return url.slice(hub.url.length);
}

/** Asks until a job has ended. */
export async function ended(hub: AskedHub, status: string): Promise<Answer> {
  for (;;) {
    const answer = await hub.get(status);
    if (answer.status !== 202 && answer.status !== 429) return answer;
    await new Promise((resolve) => setTimeout(resolve, answer.status === 429 ? 1_500 : 50));
  }
}

/** An export from its beginning to its manifest. */
export async function exported(hub: AskedHub, path: string, body?: object, options?: CallOptions): Promise<Json> {
  const begun = await kickOff(hub, path, body, options);
  if (begun.status !== 202) throw new Error(`The export was not accepted: ${begun.text}`);
  const answer = await ended(hub, statusOf(hub, begun));
  if (answer.status !== 200) throw new Error(`The export failed: ${answer.text}`);
  return answer.json;
}

/** The resources of all files of a list of a manifest. */
export async function contents(hub: AskedHub, items: { url: string }[]): Promise<Json[]> {
  const found: Json[] = [];
  for (const { url } of items) {
    const { text } = await hub.get(pathIn(hub, url));
    found.push(...text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])));
  }
  return found;
}

/** `Type/id` of resources, sorted. */
export function namesOf(resources: Json[]): string[] {
  return resources.map(({ resourceType, id }) => `${resourceType}/${id}`).sort();
}
