/**
 * What the hub can be told: one table of settings, each with its option on the command line, its variable in the
 * environment, its default and its limits, by what they are about. `config.ts` reads them.
 */
import { demonstration } from './demonstration.ts';
import { doors } from './doors.ts';
import { exchange } from './exchange.ts';
import { mail } from './mail.ts';
import { signIn } from './sign-in.ts';
import { storage } from './storage.ts';
import { watching } from './watching.ts';

/** Everything the hub can be told, in the order of the table. Sizes in bytes, times in milliseconds. */
export interface Config {
  /** Absolute path of the folder for database, keys and files. */
  dataDir: string;
  /** A PostgreSQL of one's own; undefined: the embedded one. */
  databaseUrl: string | undefined;
  databaseConnections: number;
  statementTimeoutMs: number;
  /** Whether administrators may remove resources and versions for good, and have old versions removed by a policy. */
  allowExpunge: boolean;

  host: string;
  port: number;
  /** The address under which the hub is reached, such as https://hub.example.org; undefined: that on which it listens. */
  publicUrl: string | undefined;
  /** Addresses and networks of the proxies that say from where, and by which scheme, requests came. */
  trustedProxies: string[];
  /** Absolute paths of PEM files by which the port speaks HTTPS; undefined: plain HTTP. */
  tlsCertificate: string | undefined;
  tlsKey: string | undefined;
  /** The authorities that sign the certificates of clients; undefined: clients are not asked for one. */
  tlsClientCa: string | undefined;
  messageBytes: number;
  bundleBytes: number;
  mllpPort: number;
  /** Whether the MLLP port without TLS is open. */
  mllpPlain: boolean;
  /** The MLLP port with TLS; undefined: none. It needs a certificate and a key. */
  mllpTlsPort: number | undefined;
  /** Absolute paths of PEM files. */
  mllpTlsCertificate: string | undefined;
  mllpTlsKey: string | undefined;
  /** The authorities that sign senders' certificates; undefined: senders are not asked for one. */
  mllpTlsClientCa: string | undefined;
  /** Whether a sender needs a certificate, where there is an authority for them. */
  mllpTlsClientRequired: boolean;
  mllpConnections: number;
  /** Minutes of silence after which an MLLP connection is closed; 0: never. */
  mllpIdleMinutes: number;

  /** How long a session of the screens holds, and for how long it may be left alone. */
  sessionHours: number;
  sessionIdleMinutes: number;
  /** Who needs a second factor: nobody, officers (privacy officers, auditors and administrators), everybody. */
  requireSecondFactor: string;
  /** The OpenID provider through which people may sign in, and this hub's id there; undefined: none. */
  oidcIssuer: string | undefined;
  oidcClientId: string | undefined;
  /** Absolute paths: the client's secret, and which claims make which role and organisation. */
  oidcSecretFile: string | undefined;
  oidcAccountsFile: string | undefined;
  oidcName: string;
  /** Addresses below which apps' key sets are fetched although they lie in a private network; others are public ones. */
  keysFrom: string[];
  /** Whether and how it is asked about certificates of clients (HTTPS, MLLP) whether they are revoked; see `revocationRules`. */
  clientRevocation: string;
  /** Absolute paths and addresses of revocation lists of their authorities. */
  clientCrls: string[];
  /** Absolute path of the file that describes the trust communities (UDAP) the hub is in; undefined: none. */
  udap: string | undefined;

  /** Addresses below which organisations are sent to although they lie in a private network, or take plain http. */
  sendTo: string[];
  /** Addresses below which subscribers are told although they lie in a private network, or take plain http. */
  notifyTo: string[];
  /** Addresses below which other hubs are asked although they lie in a private network, or speak plain http. */
  peersAt: string[];
  /** The same as of clients, of servers that the hub connects to (HTTPS, MLLP). */
  serverRevocation: string;
  serverCrls: string[];
  /** Absolute paths of folders below which connectors may take files. */
  connectorFolders: string[];
  /** Addresses below which files of imports are fetched; no others are. */
  importFrom: string[];
  /** Largest file of an import, decompressed. */
  importBytes: number;
  /** How long exports, imports and their files are kept. */
  bulkHours: number;

  /** The server that takes the hub's mail; undefined: the hub sends none. */
  smtpHost: string | undefined;
  smtpPort: number;
  /** How it is spoken to: `starttls` (nothing is sent without), `implicit` (TLS from the first byte), `none`. */
  smtpTls: string;
  /** Absolute paths of PEM and text files. */
  smtpCa: string | undefined;
  smtpUser: string | undefined;
  smtpPasswordFile: string | undefined;
  /** The sender of the hub's mail. */
  mailFrom: string | undefined;
  /** At most one mail for a subscription in so many minutes. */
  mailMinutes: number;
  /** The hub's own Direct address; absolute paths of its certificate with its chain, and of its key, as PEM. */
  directAddress: string | undefined;
  directCertificate: string | undefined;
  directKey: string | undefined;
  /** The SMTP port on which Direct mail is taken; undefined: none. */
  directPort: number | undefined;
  /** The same as of clients, of who signs Direct mail, and of whom it is encrypted for. */
  directRevocation: string;
  directCrls: string[];
  /** For so long a receiver of Direct mail may say nothing. */
  directMinutes: number;

  /**
   * Where reads are recorded first: `disk` (a journal in the data directory) or `database`; undefined: on disk where the
   * embedded database lies on this machine too.
   */
  accessJournal: string | undefined;
  /** How many years what is private of the audit log can be opened; undefined: always. */
  auditYears: number | undefined;
  /** Absolute paths: the policy that names the witnesses of the audit log, and the logs that this hub is a witness for. */
  auditWitnesses: string | undefined;
  witnessFor: string | undefined;
  /** Witnesses are given at most one checkpoint in so many seconds, and told of when they cosign none for so many minutes. */
  witnessSeconds: number;
  witnessAlarmMinutes: number;
  logLevel: string;

  /** Load the simulated region at the first start. */
  demo: boolean;
  /** How many people the simulated region has, and the seed it grows from. */
  people: number;
  seed: number;
  /** Which of its two networks this hub is. */
  region: 'town' | 'neighbour';
}

/** One row of the table. */
export interface Setting {
  key: keyof Config;
  option: string;
  variable: string;
  kind:
    | 'text'
    | 'address'
    | 'path'
    | 'database'
    | 'integer'
    | 'bytes'
    | 'flag'
    | 'choice'
    | 'origin'
    | 'addresses'
    | 'paths'
    | 'sources'
    | 'networks';
  fallback: string | number | boolean | string[] | undefined;
  least?: number;
  most?: number;
  choices?: string[];
  secret?: true;
  says: string;
}

export const settings: readonly Setting[] = [
  ...storage,
  ...doors,
  ...signIn,
  ...exchange,
  ...mail,
  ...watching,
  ...demonstration,
];
