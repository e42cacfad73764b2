/**
 * What the hub can be told: one table of settings, each with its option on the command line, its variable in the
 * environment, its default and its limits. `config.ts` reads them.
 */

/** Everything the hub can be told. Sizes in bytes, times in milliseconds. */
export interface Config {
  /** Absolute path of the folder for database, keys and files. */
  dataDir: string;
  host: string;
  port: number;
  /** Absolute paths of PEM files by which the port speaks HTTPS; undefined: plain HTTP. */
  tlsCertificate: string | undefined;
  tlsKey: string | undefined;
  /** The authorities that sign the certificates of clients; undefined: clients are not asked for one. */
  tlsClientCa: string | undefined;
  mllpPort: number;
  /** A PostgreSQL of one's own; undefined: the embedded one. */
  databaseUrl: string | undefined;
  /** Load the simulated region at the first start. */
  demo: boolean;
  /** How many people the simulated region has, and the seed it grows from. */
  people: number;
  seed: number;
  /** Which of its two networks this hub is. */
  region: 'town' | 'neighbour';
  messageBytes: number;
  bundleBytes: number;
  databaseConnections: number;
  statementTimeoutMs: number;
  mllpConnections: number;
  /** Minutes of silence after which an MLLP connection is closed; 0: never. */
  mllpIdleMinutes: number;
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
  /** Whether administrators may remove resources and versions for good, and have old versions removed by a policy. */
  allowExpunge: boolean;
  /** Addresses below which files of imports are fetched; no others are. */
  importFrom: string[];
  /** Largest file of an import, decompressed. */
  importBytes: number;
  /** How long exports, imports and their files are kept. */
  bulkHours: number;
  /** The address under which the hub is reached, such as https://hub.example.org; undefined: that on which it listens. */
  publicUrl: string | undefined;
  /** Addresses below which apps' key sets are fetched although they lie in a private network; others are public ones. */
  keysFrom: string[];
  /** Whether and how it is asked about certificates of clients (HTTPS, MLLP) whether they are revoked; see `revocationRules`. */
  clientRevocation: string;
  /** Absolute paths and addresses of revocation lists of their authorities. */
  clientCrls: string[];
  /** Addresses and networks of the proxies that say from where, and by which scheme, requests came. */
  trustedProxies: string[];
  /** How long a session of the screens holds, and for how long it may be left alone. */
  sessionHours: number;
  sessionIdleMinutes: number;
  /** Who needs a second factor: nobody, officers (privacy officers and administrators), everybody. */
  requireSecondFactor: string;
  /** Absolute path of the file that describes the trust communities (UDAP) the hub is in; undefined: none. */
  udap: string | undefined;
  /** The OpenID provider through which people may sign in, and this hub's id there; undefined: none. */
  oidcIssuer: string | undefined;
  oidcClientId: string | undefined;
  /** Absolute paths: the client's secret, and which claims make which role and organisation. */
  oidcSecretFile: string | undefined;
  oidcAccountsFile: string | undefined;
  oidcName: string;
  /** Addresses below which subscribers are told although they lie in a private network, or take plain http. */
  notifyTo: string[];
  /** Addresses below which organisations are sent to although they lie in a private network, or take plain http. */
  sendTo: string[];
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
  /** The hub's own Direct address; absolute paths of its certificate with its chain, and of its key, as PEM. */
  directAddress: string | undefined;
  directCertificate: string | undefined;
  directKey: string | undefined;
  /** The SMTP port on which Direct mail is taken; undefined: none. */
  directPort: number | undefined;
  /** For so long a receiver of Direct mail may say nothing. */
  directMinutes: number;
  /** At most one mail for a subscription in so many minutes. */
  mailMinutes: number;
  /** Addresses below which other hubs are asked although they lie in a private network, or speak plain http. */
  peersAt: string[];
  /** Absolute paths of folders below which connectors may take files. */
  connectorFolders: string[];
  /** How many years what is private of the audit log can be opened; undefined: always. */
  auditYears: number | undefined;
  /** Absolute paths: the policy that names the witnesses of the audit log, and the logs that this hub is a witness for. */
  auditWitnesses: string | undefined;
  witnessFor: string | undefined;
  /** Witnesses are given at most one checkpoint in so many seconds, and told of when they cosign none for so many minutes. */
  witnessSeconds: number;
  witnessAlarmMinutes: number;
  logLevel: string;
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

const mebibyte = 1024 * 1024;

export const settings: readonly Setting[] = [
  {
    key: 'dataDir',
    option: 'data-dir',
    variable: 'CAUSEWAY_DATA_DIR',
    kind: 'path',
    fallback: './data',
    says: 'folder for the database, the keys and files',
  },
  {
    key: 'host',
    option: 'host',
    variable: 'CAUSEWAY_HOST',
    kind: 'text',
    fallback: '127.0.0.1',
    says: 'address to listen on',
  },
  {
    key: 'port',
    option: 'port',
    variable: 'CAUSEWAY_PORT',
    kind: 'integer',
    fallback: 8080,
    least: 0,
    most: 65535,
    says: 'HTTP port; HTTPS with a certificate and a key',
  },
  {
    key: 'tlsCertificate',
    option: 'tls-certificate',
    variable: 'CAUSEWAY_TLS_CERTIFICATE',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the certificate, with its chain, by which the HTTP port speaks HTTPS; read again when it changes',
  },
  {
    key: 'tlsKey',
    option: 'tls-key',
    variable: 'CAUSEWAY_TLS_KEY',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the key of that certificate',
  },
  {
    key: 'tlsClientCa',
    option: 'tls-client-ca',
    variable: 'CAUSEWAY_TLS_CLIENT_CA',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the authorities that sign the certificates of HTTPS clients, which may then show one',
  },
  {
    key: 'mllpPort',
    option: 'mllp-port',
    variable: 'CAUSEWAY_MLLP_PORT',
    kind: 'integer',
    fallback: 2575,
    least: 0,
    most: 65535,
    says: 'MLLP port for HL7 v2',
  },
  {
    key: 'databaseUrl',
    option: 'database-url',
    variable: 'DATABASE_URL',
    kind: 'database',
    fallback: undefined,
    secret: true,
    says: 'an existing PostgreSQL (15 or newer) instead of the embedded one',
  },
  {
    key: 'demo',
    option: 'demo',
    variable: 'CAUSEWAY_DEMO',
    kind: 'flag',
    fallback: true,
    says: 'load the simulated region at the first start (--no-demo: do not)',
  },
  {
    key: 'people',
    option: 'people',
    variable: 'CAUSEWAY_PEOPLE',
    kind: 'integer',
    fallback: 200,
    least: 1,
    most: 1_000_000,
    says: 'people in the simulated region',
  },
  {
    key: 'seed',
    option: 'seed',
    variable: 'CAUSEWAY_SEED',
    kind: 'integer',
    fallback: 1,
    least: 0,
    most: 4_294_967_295,
    says: 'seed the simulated region grows from',
  },
  {
    key: 'region',
    option: 'region',
    variable: 'CAUSEWAY_REGION',
    kind: 'choice',
    fallback: 'town',
    choices: ['town', 'neighbour'],
    says: 'which network of the simulated region: town, or neighbour, which knows some of its people',
  },
  {
    key: 'messageBytes',
    option: 'message-bytes',
    variable: 'CAUSEWAY_MESSAGE_BYTES',
    kind: 'bytes',
    fallback: 64 * mebibyte,
    least: 1024,
    most: 1024 * mebibyte,
    says: 'largest message or document (64MB)',
  },
  {
    key: 'bundleBytes',
    option: 'bundle-bytes',
    variable: 'CAUSEWAY_BUNDLE_BYTES',
    kind: 'bytes',
    fallback: 100 * mebibyte,
    least: 1024,
    most: 1024 * mebibyte,
    says: 'largest FHIR bundle (100MB)',
  },
  {
    key: 'databaseConnections',
    option: 'database-connections',
    variable: 'CAUSEWAY_DATABASE_CONNECTIONS',
    kind: 'integer',
    fallback: 12,
    least: 2,
    most: 50,
    says: 'connections to the database',
  },
  {
    key: 'statementTimeoutMs',
    option: 'statement-timeout-ms',
    variable: 'CAUSEWAY_STATEMENT_TIMEOUT_MS',
    kind: 'integer',
    fallback: 60_000,
    least: 100,
    most: 3_600_000,
    says: 'longest time of one database statement',
  },
  {
    key: 'mllpConnections',
    option: 'mllp-connections',
    variable: 'CAUSEWAY_MLLP_CONNECTIONS',
    kind: 'integer',
    fallback: 256,
    least: 1,
    most: 10_000,
    says: 'MLLP connections at a time',
  },
  {
    key: 'mllpIdleMinutes',
    option: 'mllp-idle-minutes',
    variable: 'CAUSEWAY_MLLP_IDLE_MINUTES',
    kind: 'integer',
    fallback: 0,
    least: 0,
    most: 35_000,
    says: 'minutes of silence after which an MLLP connection is closed, 0 for never',
  },
  {
    key: 'mllpPlain',
    option: 'mllp-plain',
    variable: 'CAUSEWAY_MLLP_PLAIN',
    kind: 'flag',
    fallback: true,
    says: 'the MLLP port without TLS (--no-mllp-plain: closed)',
  },
  {
    key: 'mllpTlsPort',
    option: 'mllp-tls-port',
    variable: 'CAUSEWAY_MLLP_TLS_PORT',
    kind: 'integer',
    fallback: undefined,
    least: 0,
    most: 65535,
    says: 'MLLP port with TLS 1.2 or newer; needs a certificate and a key',
  },
  {
    key: 'mllpTlsCertificate',
    option: 'mllp-tls-certificate',
    variable: 'CAUSEWAY_MLLP_TLS_CERTIFICATE',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the certificate with its chain; read again when it changes',
  },
  {
    key: 'mllpTlsKey',
    option: 'mllp-tls-key',
    variable: 'CAUSEWAY_MLLP_TLS_KEY',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the key of that certificate',
  },
  {
    key: 'mllpTlsClientCa',
    option: 'mllp-tls-client-ca',
    variable: 'CAUSEWAY_MLLP_TLS_CLIENT_CA',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the authorities that sign the certificates of senders',
  },
  {
    key: 'mllpTlsClientRequired',
    option: 'mllp-tls-client-required',
    variable: 'CAUSEWAY_MLLP_TLS_CLIENT_REQUIRED',
    kind: 'flag',
    fallback: true,
    says: 'where there are such authorities, senders need a certificate (--no-mllp-tls-client-required: may have one)',
  },
  {
    key: 'allowExpunge',
    option: 'allow-expunge',
    variable: 'CAUSEWAY_ALLOW_EXPUNGE',
    kind: 'flag',
    fallback: false,
    says: 'let administrators remove versions and resources for good ($expunge, $retention)',
  },
  {
    key: 'importFrom',
    option: 'import-from',
    variable: 'CAUSEWAY_IMPORT_FROM',
    kind: 'addresses',
    fallback: [],
    says: 'addresses below which $import may fetch files, with commas between (none)',
  },
  {
    key: 'importBytes',
    option: 'import-bytes',
    variable: 'CAUSEWAY_IMPORT_BYTES',
    kind: 'bytes',
    fallback: 10 * 1024 * mebibyte,
    least: 1024,
    most: 1024 * 1024 * mebibyte,
    says: 'largest file of an import, decompressed (10GB)',
  },
  {
    key: 'bulkHours',
    option: 'bulk-hours',
    variable: 'CAUSEWAY_BULK_HOURS',
    kind: 'integer',
    fallback: 24,
    least: 1,
    most: 720,
    says: 'hours for which exports and imports are kept',
  },
  {
    key: 'publicUrl',
    option: 'public-url',
    variable: 'CAUSEWAY_PUBLIC_URL',
    kind: 'origin',
    fallback: undefined,
    says: 'the address under which apps reach this hub, such as https://hub.example.org (that on which it listens)',
  },
  {
    key: 'keysFrom',
    option: 'keys-from',
    variable: 'CAUSEWAY_KEYS_FROM',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks below which keys of apps, and what tells of revoked certificates, are fetched, with commas between (none)',
  },
  {
    key: 'clientRevocation',
    option: 'client-revocation',
    variable: 'CAUSEWAY_CLIENT_REVOCATION',
    kind: 'choice',
    fallback: 'named',
    choices: ['required', 'named', 'reachable', 'off'],
    says: 'which certificates of clients (HTTPS, MLLP) must be told not to be revoked: all, those that name a list or responder, these where one answers, or none',
  },
  {
    key: 'clientCrls',
    option: 'client-crls',
    variable: 'CAUSEWAY_CLIENT_CRLS',
    kind: 'sources',
    fallback: [],
    says: 'files and addresses of revocation lists of the authorities of clients, with commas between (none)',
  },
  {
    key: 'trustedProxies',
    option: 'trusted-proxies',
    variable: 'CAUSEWAY_TRUSTED_PROXIES',
    kind: 'networks',
    fallback: [],
    says: 'addresses or networks of proxies in front of the hub, whose X-Forwarded-For is believed, with commas between (none)',
  },
  {
    key: 'sessionHours',
    option: 'session-hours',
    variable: 'CAUSEWAY_SESSION_HOURS',
    kind: 'integer',
    fallback: 12,
    least: 1,
    most: 720,
    says: 'hours after which people sign in again',
  },
  {
    key: 'sessionIdleMinutes',
    option: 'session-idle-minutes',
    variable: 'CAUSEWAY_SESSION_IDLE_MINUTES',
    kind: 'integer',
    fallback: 60,
    least: 2,
    most: 43_200,
    says: 'minutes without use after which they do',
  },
  {
    key: 'requireSecondFactor',
    option: 'require-second-factor',
    variable: 'CAUSEWAY_REQUIRE_SECOND_FACTOR',
    kind: 'choice',
    fallback: 'nobody',
    choices: ['nobody', 'officers', 'everybody'],
    says: 'who needs a second factor: nobody, officers (privacy officers and administrators) or everybody',
  },
  {
    key: 'udap',
    option: 'udap',
    variable: 'CAUSEWAY_UDAP',
    kind: 'path',
    fallback: undefined,
    says: 'JSON file of the trust communities (UDAP) that the hub is in; see docs/apps.md',
  },
  {
    key: 'oidcIssuer',
    option: 'oidc-issuer',
    variable: 'CAUSEWAY_OIDC_ISSUER',
    kind: 'address',
    fallback: undefined,
    says: 'OpenID provider through which people may sign in too',
  },
  {
    key: 'oidcClientId',
    option: 'oidc-client-id',
    variable: 'CAUSEWAY_OIDC_CLIENT_ID',
    kind: 'text',
    fallback: undefined,
    says: 'id of this hub at that provider',
  },
  {
    key: 'oidcSecretFile',
    option: 'oidc-secret-file',
    variable: 'CAUSEWAY_OIDC_SECRET_FILE',
    kind: 'path',
    fallback: undefined,
    says: 'file with its secret there',
  },
  {
    key: 'oidcAccountsFile',
    option: 'oidc-accounts-file',
    variable: 'CAUSEWAY_OIDC_ACCOUNTS_FILE',
    kind: 'path',
    fallback: undefined,
    says: 'JSON file that says which claims make which role and organisation (none: accounts are connected by their users)',
  },
  {
    key: 'oidcName',
    option: 'oidc-name',
    variable: 'CAUSEWAY_OIDC_NAME',
    kind: 'text',
    fallback: 'your organisation',
    says: 'what that provider is called on the sign-in page',
  },
  {
    key: 'notifyTo',
    option: 'notify-to',
    variable: 'CAUSEWAY_NOTIFY_TO',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks, or of plain http, below which subscribers are told, with commas between (none)',
  },
  {
    key: 'sendTo',
    option: 'send-to',
    variable: 'CAUSEWAY_SEND_TO',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks, or of plain http, below which organisations are sent to, with commas between (none)',
  },
  {
    key: 'smtpHost',
    option: 'smtp-host',
    variable: 'CAUSEWAY_SMTP_HOST',
    kind: 'text',
    fallback: undefined,
    says: 'server that takes the hub’s mail (none: no mail is sent); see docs/mail.md',
  },
  {
    key: 'smtpPort',
    option: 'smtp-port',
    variable: 'CAUSEWAY_SMTP_PORT',
    kind: 'integer',
    fallback: 587,
    least: 1,
    most: 65535,
    says: 'its port',
  },
  {
    key: 'smtpTls',
    option: 'smtp-tls',
    variable: 'CAUSEWAY_SMTP_TLS',
    kind: 'choice',
    fallback: 'starttls',
    choices: ['starttls', 'implicit', 'none'],
    says: 'starttls (required), implicit (port 465), or none for a server on this machine',
  },
  {
    key: 'smtpCa',
    option: 'smtp-ca',
    variable: 'CAUSEWAY_SMTP_CA',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the authorities that sign its certificate (those of the system)',
  },
  {
    key: 'smtpUser',
    option: 'smtp-user',
    variable: 'CAUSEWAY_SMTP_USER',
    kind: 'text',
    fallback: undefined,
    says: 'name by which the hub signs in there',
  },
  {
    key: 'smtpPasswordFile',
    option: 'smtp-password-file',
    variable: 'CAUSEWAY_SMTP_PASSWORD_FILE',
    kind: 'path',
    fallback: undefined,
    says: 'file with the password for that; read again when mail is sent',
  },
  {
    key: 'mailFrom',
    option: 'mail-from',
    variable: 'CAUSEWAY_MAIL_FROM',
    kind: 'text',
    fallback: undefined,
    says: 'address the hub’s mail comes from',
  },
  {
    key: 'directAddress',
    option: 'direct-address',
    variable: 'CAUSEWAY_DIRECT_ADDRESS',
    kind: 'text',
    fallback: undefined,
    says: 'Direct address of the hub, for organisations that receive documents so',
  },
  {
    key: 'directCertificate',
    option: 'direct-certificate',
    variable: 'CAUSEWAY_DIRECT_CERTIFICATE',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the certificate of that address with its chain; read again when mail is sent',
  },
  {
    key: 'directKey',
    option: 'direct-key',
    variable: 'CAUSEWAY_DIRECT_KEY',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the key of that certificate',
  },
  {
    key: 'directPort',
    option: 'direct-port',
    variable: 'CAUSEWAY_DIRECT_PORT',
    kind: 'integer',
    fallback: undefined,
    least: 0,
    most: 65535,
    says: 'SMTP port on which Direct mail for that address is taken, with STARTTLS by the certificate of HTTPS (none)',
  },
  {
    key: 'directMinutes',
    option: 'direct-minutes',
    variable: 'CAUSEWAY_DIRECT_MINUTES',
    kind: 'integer',
    fallback: 60,
    least: 1,
    most: 10_080,
    says: 'minutes after which people are told of Direct mail whose receiver has not said that it has it',
  },
  {
    key: 'mailMinutes',
    option: 'mail-minutes',
    variable: 'CAUSEWAY_MAIL_MINUTES',
    kind: 'integer',
    fallback: 15,
    least: 0,
    most: 1_440,
    says: 'at most one mail for a subscription in so many minutes',
  },
  {
    key: 'peersAt',
    option: 'peers-at',
    variable: 'CAUSEWAY_PEERS_AT',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks, or with plain http, below which other hubs are asked, with commas between (none)',
  },
  {
    key: 'connectorFolders',
    option: 'connector-folders',
    variable: 'CAUSEWAY_CONNECTOR_FOLDERS',
    kind: 'paths',
    fallback: [],
    says: 'folders below which connectors may take files, with commas between (none)',
  },
  {
    key: 'auditYears',
    option: 'audit-years',
    variable: 'CAUSEWAY_AUDIT_YEARS',
    kind: 'integer',
    fallback: undefined,
    least: 6,
    most: 200,
    says: 'years after which the keys to what is private of the audit log are destroyed, month by month (never)',
  },
  {
    key: 'auditWitnesses',
    option: 'audit-witnesses',
    variable: 'CAUSEWAY_AUDIT_WITNESSES',
    kind: 'path',
    fallback: undefined,
    says: 'file of the witnesses that cosign the audit log (C2SP tlog-policy); read again when it changes; see docs/audit.md',
  },
  {
    key: 'witnessSeconds',
    option: 'witness-seconds',
    variable: 'CAUSEWAY_WITNESS_SECONDS',
    kind: 'integer',
    fallback: 10,
    least: 1,
    most: 3_600,
    says: 'they are given at most one checkpoint in so many seconds',
  },
  {
    key: 'witnessAlarmMinutes',
    option: 'witness-alarm-minutes',
    variable: 'CAUSEWAY_WITNESS_ALARM_MINUTES',
    kind: 'integer',
    fallback: 60,
    least: 1,
    most: 10_080,
    says: 'minutes after which privacy officers are told that one of them cosigns nothing',
  },
  {
    key: 'witnessFor',
    option: 'witness-for',
    variable: 'CAUSEWAY_WITNESS_FOR',
    kind: 'path',
    fallback: undefined,
    says: 'file of the audit logs of other hubs that this one is a witness for; read again when it changes; see docs/audit.md',
  },
  {
    key: 'logLevel',
    option: 'log-level',
    variable: 'CAUSEWAY_LOG_LEVEL',
    kind: 'choice',
    fallback: 'warn',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    says: 'what is logged: debug, info, warn, error or silent',
  },
];
