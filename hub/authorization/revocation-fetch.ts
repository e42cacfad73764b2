/** Fetching lists and answers about revocation, guarded as `guardedRequest` is; http is fine, since they are signed. */
import { guardedRequest } from '../guarded-request.ts';

const milliseconds = 4_000;
/** Of a list: some twenty thousand certificates. */
const listBytes = 1024 * 1024;
const answerBytes = 64 * 1024;

/**
 * @param allowed addresses below which private networks are fine too
 * @returns fetches a list, or sends a request of OCSP (RFC 6960 appendix A)
 */
export function revocationFetch(allowed: readonly string[]): (address: string, request?: Buffer) => Promise<Buffer> {
  return async (address, request) => {
    const { status, body } = await guardedRequest(address, allowed, {
      ...(request
        ? { method: 'POST', headers: { 'content-type': 'application/ocsp-request' }, body: request, bytes: answerBytes }
        : { method: 'GET', headers: {}, bytes: listBytes }),
      milliseconds,
      isSigned: true,
    });
    if (status !== 200) throw new Error(`it is answered with ${status}`);
    return body;
  };
}
