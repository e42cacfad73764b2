/** `causeway send`: files of HL7 v2, C-CDA or FHIR given to a running hub through its public doors, and its answers. */

import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { encodeFrame, isParseError, MllpDecoder, splitBatch } from '@causeway/hl7v2';

export interface Destination {
  url: string;
  mllp: { host: string; port: number };
  /** Asked for once, and only when something goes over HTTP. */
  token: () => Promise<string>;
}

export interface Answer {
  /** The file, with the message's number where it holds several. */
  what: string;
  accepted: boolean;
  /** The acknowledgement's MSA and ERR segments, or the HTTP status with the outcome's texts. */
  text: string;
}

type Kind = 'v2' | 'ccda' | 'fhir';

const answerTimeoutMs = 60_000;

/** Sends one file, message by message, and yields the hub's answer to each. Nothing is thrown for a bad file. */
export async function* sendFile(path: string, to: Destination): AsyncGenerator<Answer> {
  const name = basename(path);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    yield { what: name, accepted: false, text: `cannot be read (${(error as NodeJS.ErrnoException).code})` };
    return;
  }
  const kind = kindOf(bytes);
  try {
    if (kind === 'v2') yield* sendMessages(name, messagesOf(bytes), to);
    else if (kind === 'ccda') yield await post(name, `${to.url}/ccda`, 'POST', 'application/xml', bytes, to);
    else if (kind === 'fhir') yield await sendFhir(name, bytes, to);
    else
      yield {
        what: name,
        accepted: false,
        text: 'is no HL7 v2 message (MSH, FHS, BHS), XML document or JSON resource',
      };
  } catch (error) {
    yield { what: name, accepted: false, text: `no answer from the hub: ${(error as Error).message}` };
  }
}

/** What a file holds, by how it begins (after a byte order mark, an MLLP start byte and white space). */
export function kindOf(bytes: Buffer): Kind | undefined {
  const text = bytes.subarray(0, 1000).toString(bytes[1] === 0 ? 'utf16le' : 'latin1');
  const head = text.replace(/^(ï»¿|\ufeff|\u00ff\u00fe|\u00fe\u00ff)?[\s\u0000\u000b]*/, '');
  if (/^(MSH|FHS|BHS)/.test(head)) return 'v2';
  if (head.startsWith('<')) return 'ccda';
  if (head.startsWith('{')) return 'fhir';
  return undefined;
}

/** The messages of a v2 file, as they go over the wire: MLLP frames and batches opened, line ends made carriage returns. */
export function messagesOf(bytes: Buffer): Buffer[] {
  const text = bytes
    .toString('latin1')
    .replace(/^ï»¿/, '')
    .replace(/\x1c\r?/g, '\r')
    .replaceAll('\x0b', '');
  const segments = Buffer.from(text.replace(/\r\n|\n/g, '\r').replace(/^\r+/, ''), 'latin1');
  const file = splitBatch(segments);
  if (isParseError(file)) return [segments];
  return file.batches.flatMap(({ messages }) => messages.map((message) => Buffer.from(message.bytes)));
}

async function* sendMessages(name: string, messages: Buffer[], to: Destination): AsyncGenerator<Answer> {
  for (const [index, message] of messages.entries()) {
    const what = messages.length > 1 ? `${name} (${index + 1} of ${messages.length})` : name;
    const acknowledgement = await exchange(message, to.mllp);
    const lines = acknowledgement
      .toString('utf8')
      .split('\r')
      .filter((line) => /^(MSA|ERR)/.test(line));
    yield { what, accepted: /^MSA.[AC]A/.test(lines[0] ?? ''), text: lines.join('\n    ') || 'an answer without MSA' };
  }
}

/** One message on a connection of its own, and the frame that comes back. */
function exchange(message: Buffer, { host, port }: Destination['mllp']): Promise<Buffer> {
  return new Promise((done, failed) => {
    const socket = connect(port, host, () => socket.write(encodeFrame(message)));
    const decoder = new MllpDecoder();
    socket.setTimeout(answerTimeoutMs, () => socket.destroy(new Error(`silent for ${answerTimeoutMs / 1000} s`)));
    socket.on('error', failed);
    socket.on('close', () => failed(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind !== 'frame') continue;
        done(Buffer.from(event.content));
        socket.end();
      }
    });
  });
}

async function sendFhir(name: string, bytes: Buffer, to: Destination): Promise<Answer> {
  let resource: { resourceType?: unknown; id?: unknown };
  try {
    resource = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return { what: name, accepted: false, text: `is not JSON: ${(error as Error).message}` };
  }
  const { resourceType, id } = resource;
  if (typeof resourceType !== 'string') return { what: name, accepted: false, text: 'has no resourceType' };
  const type = 'application/fhir+json';
  if (resourceType === 'Bundle') return post(name, `${to.url}/fhir`, 'POST', type, bytes, to);
  const path = `${to.url}/fhir/${encodeURIComponent(resourceType)}`;
  if (typeof id === 'string') return post(name, `${path}/${encodeURIComponent(id)}`, 'PUT', type, bytes, to);
  return post(name, path, 'POST', type, bytes, to);
}

async function post(
  what: string,
  url: string,
  method: 'POST' | 'PUT',
  type: string,
  body: Buffer,
  to: Destination,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': type, accept: 'application/fhir+json', authorization: `Bearer ${await to.token()}` },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  const text = outcomeOf(await response.text());
  return { what, accepted: response.ok, text: `${response.status} ${response.statusText}${text ? `: ${text}` : ''}` };
}

/** The issues of an OperationOutcome, or the kind of resource that came back. */
function outcomeOf(body: string): string {
  try {
    const resource = JSON.parse(body);
    if (resource.resourceType !== 'OperationOutcome') return resource.resourceType ? `${resource.resourceType}` : '';
    const issues: { severity?: string; diagnostics?: string; details?: { text?: string } }[] = resource.issue ?? [];
    return issues
      .map((issue) => `${issue.severity} ${issue.diagnostics ?? issue.details?.text ?? ''}`.trim())
      .join('; ');
  } catch {
    return body.slice(0, 200);
  }
}
