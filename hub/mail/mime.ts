/**
 * MIME entities (RFC 5322, RFC 2045, RFC 2046): headers, and the parts of a multipart byte for byte, as a signature needs them.
 */
import { isMailAddress } from './address.ts';

/** An entity: its header fields as they came, unfolded, and the bytes of its body. */
export interface Entity {
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer;
}

/** A header value such as `text/plain; charset=utf-8`. */
export interface Parameterized {
  value: string;
  parameters: { [name: string]: string };
}

const longestHeader = 64 * 1024;

/** Reads the header fields of an entity, whose names are told in lower case; a line that is no field ends them. */
export function entityOf(bytes: Buffer): Entity {
  const end = endOfHeaders(bytes);
  const lines = bytes
    .subarray(0, Math.min(end.at, longestHeader))
    .toString('latin1')
    .replaceAll(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/);
  const headers = lines.flatMap((line) => {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:(.*?)\r?$/.exec(line) ?? [];
    return name === undefined ? [] : [[name.toLowerCase(), value!.trim()] as const];
  });
  return { headers, body: bytes.subarray(end.body) };
}

/** The values of all fields of a name. */
function fields({ headers }: Entity, name: string): string[] {
  return headers.filter(([one]) => one === name).map(([, value]) => value);
}

/** The one field of a name; undefined where there is none, or several. */
export function field(entity: Entity, name: string): string | undefined {
  const values = fields(entity, name);
  return values.length === 1 ? values[0] : undefined;
}

/** A value with its parameters (RFC 2045 §5.1). The value is in lower case. */
export function parameterized(text: string): Parameterized {
  const [, value = '', rest = ''] = /^([^;]*)(.*)$/s.exec(text) ?? [];
  const parameters: { [name: string]: string } = {};
  for (const [, name, quoted, plain] of rest.matchAll(/;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g))
    parameters[name!.toLowerCase()] ??= quoted === undefined ? plain! : quoted.replaceAll(/\\(.)/g, '$1');
  return { value: value.trim().toLowerCase(), parameters };
}

/** What an entity says that it is; without saying it is text. */
export function contentType(entity: Entity): Parameterized {
  return parameterized(field(entity, 'content-type') ?? 'text/plain');
}

/** The bytes that a body stands for (RFC 2045 §6). */
export function decodedBody(entity: Entity): Buffer {
  const encoding = field(entity, 'content-transfer-encoding')?.toLowerCase();
  if (encoding === 'base64') return Buffer.from(entity.body.toString('latin1'), 'base64');
  if (encoding !== 'quoted-printable') return entity.body;
  const text = entity.body
    .toString('latin1')
    // From the first blank of a run alone, so that a long one is looked at once.
    .replaceAll(/(?<![ \t])[ \t]+(?=\r?\n|$)/g, '')
    .replaceAll(/=\r?\n/g, '');
  const decoded = text.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, byte) => String.fromCharCode(Number.parseInt(byte, 16)));
  return Buffer.from(decoded, 'latin1');
}

/** The address of a header field that names one mailbox (RFC 5322 §3.4); undefined where it does not. */
export function mailboxIn(value: string | undefined): string | undefined {
  const bare = value?.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').trim();
  const [, named, alone] = /^[^<>@,;:]*<([^<>\s]+)>$|^([^<>\s,;:]+)$/.exec(bare ?? '') ?? [];
  const address = named ?? alone;
  return address !== undefined && isMailAddress(address) ? address.toLowerCase() : undefined;
}

/** The addresses that a mail names as its receivers (To, Cc), in lower case. What is no address in such a list is none of them. */
export function receiversOf(entity: Entity): string[] {
  const lists = [...fields(entity, 'to'), ...fields(entity, 'cc')];
  return lists.flatMap((list) =>
    list
      .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
      .split(/[,;]/)
      .flatMap((one) => mailboxIn(one.replace(/^[^<>@:]*:/, '')) ?? []),
  );
}

/** The entities of a mail that are no multiparts, one after the other; undefined where it nests too deep or is cut off. */
export function leavesOf(entity: Entity, depth = 0): Entity[] | undefined {
  const { value, parameters } = contentType(entity);
  if (!value.startsWith('multipart/')) return [entity];
  const parts = depth < deepest ? partsOf(entity.body, parameters.boundary ?? '') : undefined;
  const leaves: Entity[] = [];
  for (const part of parts ?? []) {
    const found = leavesOf(entityOf(part), depth + 1);
    if (!found || leaves.length + found.length > mostParts) return undefined;
    leaves.push(...found);
  }
  return parts && leaves;
}

/** The parts of a multipart, each with its headers, byte for byte (RFC 2046 §5.1.1); the last one must be closed. */
export function partsOf(body: Buffer, boundary: string): Buffer[] | undefined {
  if (boundary === '' || boundary.length > 70) return undefined;
  const parts: Buffer[] = [];
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  let start: number | undefined;
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0 && body[at - 1] !== newline) continue;
    const after = at + delimiter.length;
    const closes = body[after] === dash && body[after + 1] === dash;
    const line = body.indexOf(newline, after);
    const rest = body.subarray(closes ? after + 2 : after, line < 0 ? body.length : line).toString('latin1');
    // Another boundary that begins with this one.
    if (!/^[ \t]*\r?$/.test(rest)) continue;
    if (start !== undefined) parts.push(body.subarray(start, Math.max(start, beforeLineEnd(body, at))));
    if (closes) return parts;
    if (line < 0 || parts.length > mostParts) return undefined;
    start = line + 1;
  }
  return undefined;
}

/** Bytes with CRLF at the ends of lines, as text is signed. */
export function withLineEnds(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
}

const [newline, carriageReturn, dash] = [0x0a, 0x0d, 0x2d];
const mostParts = 200;
const deepest = 8;

function endOfHeaders(bytes: Buffer): { at: number; body: number } {
  if (bytes[0] === newline) return { at: 0, body: 1 };
  if (bytes[0] === carriageReturn && bytes[1] === newline) return { at: 0, body: 2 };
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) {
    if (bytes[at + 1] === newline) return { at, body: at + 2 };
    if (bytes[at + 1] === carriageReturn && bytes[at + 2] === newline) return { at, body: at + 3 };
  }
  return { at: bytes.length, body: bytes.length };
}

/** The line end before a boundary is the boundary's. */
function beforeLineEnd(body: Buffer, at: number): number {
  return body[at - 2] === carriageReturn ? at - 2 : at - 1;
}
