/**
 * Fetching the files of an import. Only addresses below those that the operator allowed are asked, redirects are not
 * followed, and what is too long, too slow or no answer ends the fetch.
 */
import { RecordError } from '../record/index.ts';

export interface FetchLimits {
  /** Bytes of one file, decompressed. */
  maximumBytes: number;
  /** Milliseconds without a byte. */
  idleMs: number;
}

/**
 * Whether an address lies below an allowed one: same scheme, host and port, and the same path or one below it. An
 * address with a name or password in it is never allowed.
 */
export function isAllowed(address: string, allowed: readonly string[]): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return false;
  return allowed.some((entry) => {
    const base = new URL(entry);
    const path = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`;
    return url.origin === base.origin && (url.pathname === base.pathname || url.pathname.startsWith(path));
  });
}

/** The bytes of a file. @throws RecordError where the address gives no whole file: 422, or 503 where it may yet */
export async function* fetchFile(address: string, limits: FetchLimits, stop: AbortSignal): AsyncGenerator<Buffer> {
  const idle = new AbortController();
  let timer = setTimeout(() => idle.abort(), limits.idleMs);
  try {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { accept: 'application/fhir+ndjson' },
      signal: AbortSignal.any([idle.signal, stop]),
    });
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel();
      const redirects = response.status >= 300 && response.status < 400;
      const what = `answered ${response.status}${redirects ? ', and redirects are not followed' : ''}`;
      throw refused(what, response.status >= 500 ? 503 : 422);
    }
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.byteLength;
      if (bytes > limits.maximumBytes)
        throw refused(`is larger than the ${limits.maximumBytes} bytes that are taken`, 422);
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      clearTimeout(timer);
      timer = setTimeout(() => idle.abort(), limits.idleMs);
    }
  } catch (error) {
    if (error instanceof RecordError || stop.aborted) throw error;
    throw refused(idle.signal.aborted ? 'gave nothing for too long' : 'could not be fetched whole', 503);
  } finally {
    clearTimeout(timer);
  }
}

function refused(what: string, status: 422 | 503): RecordError {
  return new RecordError(status, 'not-found', `A file of the import ${what}.`, 'input.url');
}
