/** The settings of a hub that is started to be tried, and calls to it over HTTP, whatever database it has. */
import type { Config } from './config.ts';
import type { ConnectionSettings } from './database/index.ts';
import { signToken, tokenKey } from './secrets/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
export type Json = any;

/** An HTTP answer; `json` is undefined where the body is not JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
}

export interface CallOptions {
  /** Role of the token; default administrator. `null`: no token. */
  role?: string | null;
  headers?: Record<string, string>;
}

export interface HubCalls {
  url: string;
  get(path: string, options?: CallOptions): Promise<Answer>;
  send(method: string, path: string, body?: string | Buffer | object, options?: CallOptions): Promise<Answer>;
  token(role: string, subject?: string): Promise<string>;
}

/** What is other than usual. */
export type HubSettings = Partial<Config>;

/** Calls to the hub at an address, whose folder is this one. */
export function callsOf(url: string, dataDir: string): HubCalls {
  const token = (role: string, subject = `test-${role}`) =>
    signToken(tokenKey(dataDir), { subject, role, expiresInSeconds: 600 });
  const tokens = new Map<string, { token: string; until: number }>();
  const send: HubCalls['send'] = async (method, path, body, options = {}) => {
    const headers: Record<string, string> = { ...options.headers };
    const role = options.role === undefined ? 'administrator' : options.role;
    if (role !== null) {
      const known = tokens.get(role);
      const used =
        known && known.until > Date.now() ? known : { token: await token(role), until: Date.now() + 300_000 };
      tokens.set(role, used);
      headers.authorization ??= `Bearer ${used.token}`;
    }
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    if (body !== undefined && !isText) headers['content-type'] ??= 'application/json';
    const payload = body === undefined ? undefined : isText ? (body as BodyInit) : JSON.stringify(body);
    return answerOf(await fetch(url + path, { method, headers, body: payload, redirect: 'manual' }));
  };
  return { url, send, get: (path, options) => send('GET', path, undefined, options), token };
}

/** A hub over an empty database, or with one of its own (`embedded`), on free ports, that says nothing. */
export function hubConfig(
  dataDir: string,
  connection: ConnectionSettings | 'embedded',
  settings: HubSettings = {},
): Config {
  return {
    dataDir,
    host: '127.0.0.1',
    port: 0,
    tlsCertificate: undefined,
    tlsKey: undefined,
    tlsClientCa: undefined,
    mllpPort: 0,
    databaseUrl: connection === 'embedded' ? undefined : addressOf(connection),
    demo: false,
    people: 1,
    seed: 1,
    region: 'town',
    messageBytes: 1024 * 1024,
    bundleBytes: 1024 * 1024,
    databaseConnections: 8,
    statementTimeoutMs: 30_000,
    mllpConnections: 50,
    mllpIdleMinutes: 0,
    mllpPlain: true,
    mllpTlsPort: undefined,
    mllpTlsCertificate: undefined,
    mllpTlsKey: undefined,
    mllpTlsClientCa: undefined,
    mllpTlsClientRequired: true,
    allowExpunge: false,
    importFrom: [],
    importBytes: 100 * 1024 * 1024,
    bulkHours: 24,
    publicUrl: undefined,
    keysFrom: [],
    clientRevocation: 'named',
    clientCrls: [],
    serverRevocation: 'named',
    serverCrls: [],
    directRevocation: 'named',
    directCrls: [],
    trustedProxies: [],
    sessionHours: 12,
    accessJournal: 'disk',
    auditYears: undefined,
    sessionIdleMinutes: 60,
    requireSecondFactor: 'nobody',
    udap: undefined,
    oidcIssuer: undefined,
    oidcClientId: undefined,
    oidcSecretFile: undefined,
    oidcAccountsFile: undefined,
    oidcName: 'your organisation',
    notifyTo: [],
    sendTo: [],
    smtpHost: undefined,
    smtpPort: 587,
    smtpTls: 'starttls',
    smtpCa: undefined,
    smtpUser: undefined,
    smtpPasswordFile: undefined,
    mailFrom: undefined,
    mailMinutes: 15,
    directAddress: undefined,
    directCertificate: undefined,
    directKey: undefined,
    directPort: undefined,
    directMinutes: 60,
    peersAt: [],
    connectorFolders: [],
    auditWitnesses: undefined,
    witnessFor: undefined,
    witnessSeconds: 1,
    witnessAlarmMinutes: 60,
    logLevel: 'silent',
    ...settings,
  };
}

function addressOf({ host, port, user, database }: ConnectionSettings): string {
  return `postgres://${user}@${encodeURIComponent(host)}:${port}/${database}`;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}
