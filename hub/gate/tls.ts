/**
 * The hub's certificate for HTTPS or MLLP over TLS, from files that are read again when they change, so that a renewed
 * certificate needs no restart and ends no connection. TLS 1.2 or newer.
 */
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions, type Server, type TlsOptions } from 'node:tls';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';

export interface TlsFiles {
  /** PEM: the certificate with its chain. */
  certificate: string;
  key: string;
  /** PEM: the authorities that sign the certificates of clients; without it clients are not asked for one. */
  clientCa: string | undefined;
  /** Whether a client without a certificate of theirs gets no connection. */
  clientRequired: boolean;
}

/** A server whose certificate can change while it runs. */
type Renewable = Pick<Server, 'setSecureContext'>;

const reloadMs = 2_000;
const handshakeMs = 20_000;

export class ServerCertificate {
  readonly #what: string;
  readonly #files: TlsFiles;
  readonly #log: Logger;
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param what it is for, as it is told: `HTTPS`
   * @throws ConfigError where the files cannot be read or do not belong together
   */
  constructor(what: string, files: TlsFiles, log: Logger) {
    this.#what = what;
    this.#files = files;
    this.#log = log;
    this.#seen = this.#state();
    try {
      createSecureContext(this.#context());
    } catch (error) {
      throw new ConfigError(`The certificate for ${what} cannot be used: ${(error as Error).message}`);
    }
  }

  /** Whether clients are asked for a certificate. */
  get asksClients(): boolean {
    return this.#files.clientCa !== undefined;
  }

  /** What a server is made with. */
  options(): TlsOptions {
    const rejectUnauthorized = this.#files.clientRequired;
    return { ...this.#context(), requestCert: this.asksClients, rejectUnauthorized, handshakeTimeout: handshakeMs };
  }

  /** Gives the server the files' content whenever it changes; while that cannot be used, the last that could stays. */
  keepCurrent(server: Renewable, everyMs = reloadMs): void {
    this.#timer = setInterval(() => this.#reload(server), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #reload(server: Renewable): void {
    const state = this.#state();
    if (state === this.#seen) return;
    this.#seen = state;
    try {
      const context = this.#context();
      createSecureContext(context);
      server.setSecureContext(context);
      this.#log.warn(`the certificate for ${this.#what} was read anew`);
    } catch (error) {
      this.#log.error(
        { error: (error as Error).message },
        `the changed certificate for ${this.#what} cannot be used; the one before stays in use`,
      );
    }
  }

  #context(): SecureContextOptions {
    const { certificate, key, clientCa } = this.#files;
    return {
      cert: readFileSync(certificate),
      key: readFileSync(key),
      ...(clientCa === undefined ? {} : { ca: readFileSync(clientCa) }),
      minVersion: 'TLSv1.2',
    };
  }

  /** Which state of the files was seen. */
  #state(): string {
    const { certificate, key, clientCa } = this.#files;
    const files = [certificate, key, ...(clientCa === undefined ? [] : [clientCa])];
    return files
      .map((file) => {
        const found = statSync(file, { throwIfNoEntry: false });
        return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'none';
      })
      .join(', ');
  }
}
