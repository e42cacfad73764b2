/** What the hub answers where what comes over a connection is no HTTP request that could be read (RFC 9110 §15.5). */
import type { Socket } from 'node:net';
import { outcomeOf } from './fhir-answers.ts';

const answers: { [code: string]: [number, string, 'too-long' | 'timeout' | 'invalid', string] } = {
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    'too-long',
    'The address and headers of the request are longer than the 16 KiB that this server takes; send long searches by POST to _search.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'timeout', 'The headers of the request did not arrive in time.'],
};
const unreadable = [400, 'Bad Request', 'invalid', 'What came over the connection is no HTTP/1.1 request.'] as const;

/** Answers with an OperationOutcome, as nothing is known of the request, and ends the connection. */
export function answerClientError(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // No connection by TLS: whatever was written now could not be read.
  if (/^ERR_(SSL|TLS)_/.test(error.code ?? '')) return void socket.destroy();
  const [status, reason, code, diagnostics] = answers[error.code ?? ''] ?? unreadable;
  const body = JSON.stringify(outcomeOf([{ severity: 'error', code, diagnostics }]));
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'content-type: application/fhir+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
