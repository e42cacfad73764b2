/**
 * When certificates end: the hub's own, those of authorities that it trusts, and those that participants gave, or were
 * seen to connect by. What ends within thirty days is told in the log each day, and by the status.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Database } from '../database/index.ts';
import type { Participants } from './participants.ts';

/** A PEM file whose certificates count. */
export interface CertificateFile {
  /** What it is for: `MLLP over TLS`. */
  what: string;
  path: string;
}

/** Whose a certificate is that was shown: a participant, by its key, or a registered client, by its id. */
export type Holder = { participant: string } | { client: string };

export interface WatchedCertificate {
  what: string;
  /** The participant whose it is. */
  participant?: string;
  subject: string;
  fingerprint: string;
  /** Undefined where the certificate cannot be read. */
  expires: Date | undefined;
  state: 'good' | 'soon' | 'expired' | 'unreadable';
}

const day = 86_400_000;
const warnedDays = 30;
const lookMs = 3_600_000;
/** What was not seen for so long is somebody's past. */
const seenDays = 90;

export class Certificates {
  readonly #database: Database;
  readonly #participants: Participants;
  readonly #files: () => Promise<CertificateFile[]>;
  readonly #fault: (error: unknown) => void;
  readonly #seen = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param files the files of the hub's own settings
   * @param fault is told what could not be noted
   */
  constructor(
    database: Database,
    participants: Participants,
    files: () => Promise<CertificateFile[]>,
    fault: (error: unknown) => void,
  ) {
    this.#database = database;
    this.#participants = participants;
    this.#files = files;
    this.#fault = fault;
  }

  /** Notes, beside, that somebody showed a certificate. Once a day for each. */
  seen(by: Holder, certificate: X509Certificate): void {
    this.noteSeen(by, certificate).catch(this.#fault);
  }

  async noteSeen(by: Holder, certificate: X509Certificate, now = Date.now()): Promise<void> {
    const { fingerprint256: fingerprint, subject, validToDate } = certificate;
    const { participant = null, client = null } = by as { participant?: string; client?: string };
    const key = `${fingerprint} ${participant} ${client}`;
    if (now - (this.#seen.get(key) ?? 0) < day) return;
    this.#seen.set(key, now);
    await this.#database.query(
      `INSERT INTO seen_certificate (fingerprint, participant, client, subject, expires, seen)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (fingerprint)
       DO UPDATE SET participant = excluded.participant, client = excluded.client, seen = excluded.seen`,
      [fingerprint, participant, client, subject.replaceAll('\n', ', ').slice(0, 500), validToDate, new Date(now)],
    );
  }

  /** All that are known, the one that ends first first. */
  async list(now = Date.now()): Promise<WatchedCertificate[]> {
    const files = [...(await this.#files()), ...this.#endpointFiles()];
    const { rows } = await this.#database.query(
      `SELECT fingerprint, participant, NULL AS client, subject, expires FROM participant_certificate
       UNION SELECT s.fingerprint, s.participant, c.name, s.subject, s.expires FROM seen_certificate s
         LEFT JOIN oauth_client c ON c.id = s.client AND c.state = 'active'
         WHERE s.seen > $1 AND (s.participant IS NOT NULL OR c.id IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM participant_certificate p WHERE p.fingerprint = s.fingerprint)`,
      [new Date(now - seenDays * day)],
    );
    const seen = rows.flatMap(({ fingerprint, participant, client, subject, expires }): WatchedCertificate[] => {
      const state = stateOf(expires, now);
      if (client !== null) return [{ what: `the app ${client} shows it`, subject, fingerprint, expires, state }];
      // Another one took its place, or it is not taken any more.
      if (this.#participants.byCertificate(fingerprint) !== participant) return [];
      const what = 'connects to the hub';
      return [{ what, participant, subject, fingerprint, expires, state }];
    });
    const own = await Promise.all(files.map((file) => certificatesOf(file, now)));
    return [...own.flat(), ...seen].sort((a, b) => (a.expires?.getTime() ?? 0) - (b.expires?.getTime() ?? 0));
  }

  /** Looks each hour, and tells once a day what needs somebody. @param tell is given each such certificate */
  watch(tell: (certificate: WatchedCertificate, days: number | undefined) => void, everyMs = lookMs): void {
    const told = new Map<string, number>();
    const look = async () => {
      const now = Date.now();
      for (const certificate of await this.list(now).catch(() => [])) {
        const key = `${certificate.what} ${certificate.fingerprint}`;
        if (certificate.state === 'good' || now - (told.get(key) ?? 0) < day) continue;
        told.set(key, now);
        tell(certificate, certificate.expires && Math.floor((certificate.expires.getTime() - now) / day));
      }
    };
    const turn = () => {
      this.#turn = look();
    };
    turn();
    this.#timer = setInterval(turn, everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  /** The hub's own certificates towards participants, and the authorities that it trusts there. */
  #endpointFiles(): (CertificateFile & { participant: string })[] {
    return this.#participants.all().flatMap(({ key: participant, routes = [] }) =>
      routes.flatMap(({ to }) => {
        const tls = 'tls' in to ? to.tls : undefined;
        return [
          ...(tls?.certificate ? [{ participant, what: 'the hub’s own, towards it', path: tls.certificate }] : []),
          ...(tls?.ca ? [{ participant, what: 'the authority of its receiver', path: tls.ca }] : []),
        ];
      }),
    );
  }
}

async function certificatesOf(
  { path, ...named }: CertificateFile & { participant?: string },
  now: number,
): Promise<WatchedCertificate[]> {
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
  try {
    const found = (await readFile(path, 'utf8')).match(pem) ?? [];
    if (found.length === 0) throw new Error('no certificate');
    return found.map((text) => {
      const { subject, fingerprint256: fingerprint, validToDate: expires } = new X509Certificate(text);
      return {
        ...named,
        subject: subject.replaceAll('\n', ', '),
        fingerprint,
        expires,
        state: stateOf(expires, now),
      };
    });
  } catch {
    return [{ ...named, subject: path, fingerprint: '', expires: undefined, state: 'unreadable' }];
  }
}

function stateOf(expires: Date, now: number): WatchedCertificate['state'] {
  const left = expires.getTime() - now;
  return left <= 0 ? 'expired' : left <= warnedDays * day ? 'soon' : 'good';
}
