/**
 * Gets what a link leads to. The browser asks this hub by itself; another server is asked by the hub in its place, since the
 * pages may ask nobody else and that server need not let other origins in. The key stays here either way.
 */
import { ApiError, postJson } from '../api/request.ts';
import { decryptFile, type LinkPayload, type OpenFile, usableKey } from './link.ts';

export interface Asking {
  recipient: string;
  passcode: string;
}

/** The passcode was wrong, or there is none. */
export class WrongPasscode extends Error {}

interface Manifest {
  files: { contentType: string; embedded?: string; location?: string }[];
}

interface Got {
  status: number;
  body: string;
}

export async function openLink({ url, key, flag = '', exp }: LinkPayload, asking: Asking): Promise<OpenFile[]> {
  if (exp !== undefined && exp * 1000 < Date.now()) throw new Error('The link has expired.');
  const usable = await usableKey(key);
  const jwes = flag.includes('U')
    ? [readable(await get(`${url}?${new URLSearchParams({ recipient: asking.recipient })}`)).body]
    : await listed(url, asking);
  return Promise.all(jwes.map((jwe) => decryptFile(jwe, usable)));
}

async function listed(url: string, { recipient, passcode }: Asking): Promise<string[]> {
  const asked = { recipient, ...(passcode === '' ? {} : { passcode }) };
  const { files } = JSON.parse(readable(await get(url, asked)).body) as Manifest;
  const jwes: string[] = [];
  for (const { embedded, location } of files) jwes.push(embedded ?? readable(await get(location!)).body);
  return jwes;
}

async function get(url: string, body?: object): Promise<Got> {
  if (new URL(url).origin !== window.location.origin) {
    try {
      return await postJson<Got>('/api/health-link-relay', { url, body });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        throw new Error('The link leads to another server. Sign in first, so that this hub may ask it for you.');
      throw error;
    }
  }
  const headers: HeadersInit = body === undefined ? {} : { 'content-type': 'application/json' };
  const sent = { method: body === undefined ? 'GET' : 'POST', headers, body: body && JSON.stringify(body) };
  const answer = await fetch(url, { ...sent, credentials: 'omit' });
  return { status: answer.status, body: await answer.text() };
}

function readable(got: Got): Got {
  if (got.status === 200) return got;
  if (got.status === 401) {
    const left = Number(/"remainingAttempts"\s*:\s*(\d+)/.exec(got.body)?.[1]);
    const tries = left === 1 ? '1 attempt is left' : `${left} attempts are left`;
    throw new WrongPasscode(`The passcode is not right${Number.isNaN(left) ? '' : `; ${tries}`}.`);
  }
  if (got.status === 404) throw new Error('The link is not active any more, or never was.');
  if (got.status === 429) throw new Error('The link is asked too often. Wait a minute and try again.');
  throw new Error(`The server answered with status ${got.status}.`);
}
