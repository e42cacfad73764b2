/**
 * Puts each message as a file into a folder of an SFTP server whose host key is known. A file is written under another name
 * and then renamed, so that whoever reads the folder sees it whole. The connection stays while there is something to send.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import type SftpConnection from 'ssh2-sftp-client';
import type { SftpPlace } from '../trust/index.ts';
import type { Answer, Client, FileOutgoing, Timeouts } from './answer.ts';
import { fileName } from './file-name.ts';

const idleMs = 30_000;

export class SftpClient implements Client {
  readonly #to: SftpPlace;
  readonly #timeouts: Timeouts;
  #open: Promise<SftpConnection> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(to: SftpPlace, timeouts: Timeouts) {
    this.#to = to;
    this.#timeouts = timeouts;
  }

  async send(outgoing: FileOutgoing): Promise<Answer> {
    clearTimeout(this.#idle);
    const name = fileName(outgoing);
    const [path, part] = [posix.join(this.#to.path, name), posix.join(this.#to.path, `.${name}.part`)];
    try {
      this.#open ??= this.#connect();
      const connection = await this.#open;
      await within(this.#timeouts.answerMs, put(connection, Buffer.from(outgoing.bytes), part, path));
      this.#idle = setTimeout(() => this.close(), idleMs).unref();
      return { kind: 'delivered' };
    } catch (error) {
      this.close();
      return { kind: 'unreachable', reason: reasonOf(error as Error) };
    }
  }

  /** Looks whether the server lets the hub in and has the folder. @returns what is wrong */
  async look(): Promise<string | undefined> {
    try {
      this.#open ??= this.#connect();
      const isThere = await within(this.#timeouts.answerMs, (await this.#open).exists(this.#to.path));
      return isThere === 'd' ? undefined : 'The folder is not there.';
    } catch (error) {
      return reasonOf(error as Error);
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    const open = this.#open;
    this.#open = undefined;
    open?.then((connection) => connection.end()).catch(() => {});
  }

  async #connect(): Promise<SftpConnection> {
    const { default: Connection } = await import('ssh2-sftp-client');
    const connection = new Connection();
    const { host, port = 22, username, fingerprint, passwordFile, keyFile } = this.#to;
    let isOther = false;
    // A connection that breaks while nothing is sent is made anew for what follows.
    connection.on('error', () => this.close());
    connection.on('end', () => {
      if (this.#open) this.close();
    });
    try {
      await connection.connect({
        host,
        port,
        username,
        ...(passwordFile === undefined ? {} : { password: (await secret(passwordFile)).trimEnd() }),
        ...(keyFile === undefined ? {} : { privateKey: await secret(keyFile) }),
        readyTimeout: this.#timeouts.connectMs,
        hostVerifier: (key: Buffer) => {
          isOther = !isKey(key, fingerprint);
          return !isOther;
        },
      });
      return connection;
    } catch (error) {
      await connection.end().catch(() => {});
      if (isOther) throw new SftpFault('The host key of the server is not the one of the fingerprint.');
      throw error;
    }
  }
}

/** What may be told as it is. */
class SftpFault extends Error {}

async function put(connection: SftpConnection, bytes: Buffer, part: string, path: string): Promise<void> {
  await connection.put(bytes, part);
  try {
    await connection.posixRename(part, path);
  } catch {
    // A server without that extension renames to no name that is taken: an earlier attempt may have left the file.
    if (await connection.exists(path)) await connection.delete(path);
    await connection.rename(part, path);
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SftpFault('The server did not take the file in time.')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function secret(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => {
    throw new SftpFault('The file of the password or key cannot be read.');
  });
}

function isKey(key: Buffer, fingerprint: string): boolean {
  const shown = createHash('sha256').update(key).digest();
  const known = Buffer.from(fingerprint.slice('SHA256:'.length), 'base64');
  return shown.length === known.length && timingSafeEqual(shown, known);
}

/** A sentence without what the server says, which may repeat names. */
function reasonOf(error: Error): string {
  if (error instanceof SftpFault) return error.message;
  const { code, level } = error as { code?: string; level?: string };
  if (level === 'client-authentication' || /authentication/i.test(error.message))
    return 'The server does not let the hub in with this name and password or key.';
  return `The server did not take the file: ${code ?? 'the connection failed'}.`;
}
