/** `causeway send`: files of HL7 v2, C-CDA or FHIR given to a running hub through its public doors, and its answers. */

import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeFrame, isParseError, MllpDecoder, splitBatch } from '@causeway/hl7v2';
import type { OwnFetch } from './own-fetch.ts';

export interface Destination {
  url: string;
  /** By which the hub is asked, where the usual one does not know its certificate. */
  fetch?: OwnFetch;
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
  /** What became of the message, with the address of its page; absent where the hub does not tell. */
  became?: string;
}

type Kind = 'v2' | 'ccda' | 'fhir';

const answerTimeoutMs = 60_000;
const processingTimeoutMs = 5000;
const pollMs = 50;

/** Sends one file, message by message, and yields the hub's answer to each. Nothing is thrown for a bad file. */
export async function* sendFile(path: string, to: Destination): AsyncGenerator<Answer> {
  const name = basename(path);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    yield { what: name, accepted: false, text: unreadable(error as NodeJS.ErrnoException) };
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
    yield { what: name, accepted: false, text: `no answer from the hub: ${reasonOf(error as Error)}` };
  }
}

function unreadable({ code }: NodeJS.ErrnoException): string {
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'is a folder: name the files in it',
    EACCES: 'the current user may not read it',
  };
  return reasons[code ?? ''] ?? `cannot be read (${code})`;
}

/** `fetch` says "fetch failed" and keeps the reason in its cause; a refused connection says where. */
function reasonOf(error: Error): string {
  const { code, message, address, port } = (error.cause ?? error) as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (code === 'ECONNREFUSED') return `nothing listens on ${address}:${port} (see --port and --mllp-port)`;
  return message || String(code);
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
    const accepted = /^MSA.[AC]A/.test(lines[0] ?? '');
    const controlId = lines[0]?.slice(4).split(lines[0][3]!)[1];
    const became = controlId ? await fate(`/api/messages?limit=1&q=${encodeURIComponent(controlId)}`, to) : {};
    yield { what, accepted, text: lines.join('\n    ') || 'an answer without MSA', ...became };
  }
}

interface Message {
  id: string;
  state: string;
  error?: string | null;
  counts: { resources: number; kept: number; rejected: number };
}

/** Waits until the message has been processed and tells what came of it. */
async function fate(path: string, to: Destination): Promise<{ became?: string }> {
  const begun = performance.now();
  try {
    const headers = { authorization: `Bearer ${await to.token()}` };
    for (;;) {
      const init = { headers, signal: AbortSignal.timeout(processingTimeoutMs) };
      const response = await (to.fetch ?? fetch)(`${to.url}${path}`, init);
      if (!response.ok) return {};
      const found = (await response.json()) as Message | { messages: Message[] };
      const message = 'messages' in found ? found.messages[0] : found;
      if (!message) return {};
      if (message.state !== 'received' || performance.now() - begun > processingTimeoutMs) {
        return { became: `${describe(message)}: ${to.url}/messages/${message.id}` };
      }
      await delay(pollMs);
    }
  } catch {
    // The answer was printed; a hub whose token key is not here (another machine's) does not tell more.
    return {};
  }
}

function describe({ state, error, counts }: Message): string {
  if (state === 'received') return 'not processed yet';
  if (state !== 'processed') return error ? `${state} (${error.replace(/\.$/, '')})` : state;
  const unmapped = counts.kept + counts.rejected;
  const resources = counts.resources === 1 ? '1 resource' : `${counts.resources} resources`;
  return `processed, ${resources}${unmapped > 0 ? `, ${unmapped} values not mapped` : ''}`;
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
  const response = await (to.fetch ?? fetch)(url, {
    method,
    headers: { 'content-type': type, accept: 'application/fhir+json', authorization: `Bearer ${await to.token()}` },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  const returned = await response.text();
  const text = outcomeOf(returned);
  const answer = {
    what,
    accepted: response.ok,
    text: `${response.status} ${response.statusText}${text ? `: ${text}` : ''}`,
  };
  const location = response.headers.get('location');
  if (location && response.ok) return { ...answer, became: new URL(location, to.url).href };
  const id = receiptId(returned);
  return id && response.ok ? { ...answer, ...(await fate(`/api/messages/${id}`, to)) } : answer;
}

/** The id in the inbox's receipt; undefined for a FHIR answer. */
function receiptId(body: string): string | undefined {
  try {
    const receipt = JSON.parse(body);
    return typeof receipt.id === 'string' && receipt.resourceType === undefined ? receipt.id : undefined;
  } catch {
    return undefined;
  }
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
