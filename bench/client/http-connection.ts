/**
 * One kept-alive HTTP/1.1 connection (RFC 9112) with one request at a time: the least a client can cost, since client
 * and server share the machine that is measured.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Answer {
  status: number;
  /** Header lines as they came. */
  head: string;
  body: Buffer;
}

export class HttpConnection {
  readonly #base: URL;
  readonly #fixed: string;
  #socket: Socket | undefined;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #parser = new AnswerParser();

  /** @param base the address under which the requests' paths lie, e.g. `http://127.0.0.1:8080/fhir` */
  constructor(base: string, token: string | undefined) {
    this.#base = new URL(base);
    this.#fixed = [
      `Host: ${this.#base.host}`,
      'Accept: application/fhir+json',
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ].join('\r\n');
  }

  /** Sends a request below the base and waits for the whole answer. Rejects when the connection breaks. */
  async request(method: string, path: string, body?: string | Buffer): Promise<Answer> {
    this.#socket ??= await this.#connect();
    const content =
      body === undefined ? '' : `Content-Type: application/fhir+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    const prefix = this.#base.pathname.replace(/\/$/, '');
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#parser = new AnswerParser();
      const socket = this.#socket!;
      socket.cork();
      socket.write(`${method} ${prefix}${path} HTTP/1.1\r\n${this.#fixed}\r\n${content}\r\n`);
      if (body !== undefined) socket.write(body);
      socket.uncork();
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): Promise<Socket> {
    const { hostname, port, protocol } = this.#base;
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[|\]$/g, '');
    const target = { host, port: Number(port || (secure ? 443 : 80)) };
    return new Promise((resolve, reject) => {
      const socket: Socket = secure ? connectTls({ ...target, servername: host }) : connect(target);
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        socket.on('error', (error) => this.#broken(error));
        socket.on('close', () => this.#broken(new Error('The server closed the connection.')));
        socket.on('data', (chunk: Buffer) => this.#take(chunk));
        resolve(socket);
      });
    });
  }

  #take(chunk: Buffer): void {
    const answer = this.#parser.push(chunk);
    if (!answer) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (/^connection: close/im.test(answer.head)) this.close();
    waiting?.resolve(answer);
  }

  #broken(error: Error): void {
    this.#socket = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}

const headEnd = Buffer.from('\r\n\r\n');

/** Puts one answer together from pieces: by Content-Length or chunked. */
class AnswerParser {
  #pieces: Buffer[] = [];
  #size = 0;
  #head: string | undefined;
  #bodyStart = 0;
  #length: number | undefined;

  push(chunk: Buffer): Answer | undefined {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    if (this.#head === undefined && !this.#readHead()) return undefined;
    if (this.#length !== undefined && this.#size < this.#bodyStart + this.#length) return undefined;
    const all = this.#joined();
    const status = Number(this.#head!.slice(9, 12));
    const rest = all.subarray(this.#bodyStart);
    const body = this.#length === undefined ? dechunked(rest) : rest.subarray(0, this.#length);
    return body && { status, head: this.#head!, body };
  }

  #readHead(): boolean {
    const all = this.#joined();
    const end = all.indexOf(headEnd);
    if (end < 0) return false;
    const head = all.toString('latin1', 0, end);
    this.#head = head;
    this.#bodyStart = end + headEnd.length;
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) this.#length = Number(length);
    else if (!/^transfer-encoding: *chunked/im.test(head)) this.#length = 0;
    return true;
  }

  #joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }
}

/** The content of a chunked body, or undefined while its last chunk is missing. */
function dechunked(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const start = line + 2;
    if (bytes.length < start + size + 2) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
