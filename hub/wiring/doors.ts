/** The doors: HTTP, with all that its routes use, and MLLP. */
import { Refusals, Requests, Safeguards } from '../compliance/index.ts';
import type { Config } from '../config.ts';
import { type DemoAccount, httpServer, RateLimits, startMllp } from '../gate/index.ts';
import { tryRoute } from '../outbox/index.ts';
import type { KeyRotation } from '../secrets/index.ts';
import { HealthLinks } from '../share/index.ts';
import { Notices } from '../trust/index.ts';
import type { Access } from './access.ts';
import type { AuditParts } from './audit.ts';
import type { Ground } from './decision.ts';
import type { Exchange } from './exchange.ts';
import type { Inbox } from './inbox.ts';
import type { Keeping } from './keeping.ts';
import type { MessageParts } from './messages.ts';
import type { Outbox } from './outbox.ts';
import type { Revocation } from './revocation.ts';
import type { Wiring } from './wiring.ts';

/** What has been wired before the doors are. */
type Parts = Ground &
  Inbox &
  Outbox &
  Keeping &
  AuditParts &
  MessageParts &
  Access &
  Revocation &
  Exchange & { rotation: KeyRotation };

interface Shown {
  /** The folder of the built screens; without it the hub serves its interfaces only. */
  screens: string | undefined;
  /** They are offered on the page for signing in. */
  demoAccounts: DemoAccount[];
}

/** The HTTP server, which does not listen yet. */
export function wireHttp({ config, log, fault, onStop }: Wiring, parts: Parts, { screens, demoAccounts }: Shown) {
  const { system, master, database, record, accounts, audit, certificates, participants, https } = parts;
  const { pool, hubLabels, sender, http, mail, clientRevocation } = parts;
  const refusals = new Refusals(system, fault('requests that were refused were not counted; it is tried again'));
  onStop(() => refusals.close());
  const safeguards = new Safeguards(system, {
    database: system,
    keys: record.keys,
    audit,
    certificates,
    participants,
    settings: { ...config, isHttps: https !== undefined },
    knownAccounts: async () => (await import('../demo/index.ts')).demoAccounts,
    isPassword: (username, password) => accounts.isPassword(username, password),
  });
  const pages = {
    publicUrl: config.publicUrl,
    isHttps: https !== undefined,
    sessionSeconds: config.sessionHours * 3600,
  };
  const { trustedProxies, messageBytes } = config;
  return httpServer(
    {
      screens,
      trustedProxies,
      pages,
      tls: https,
      distrust: https?.asksClients ? (socket) => clientRevocation.distrust(socket) : undefined,
      messageBytes,
      log,
    },
    {
      ...parts,
      database: system,
      demoAccounts,
      refusals,
      safeguards,
      requests: new Requests(system, master),
      notices: new Notices(database),
      rateLimits: new RateLimits(database),
      healthLinks: new HealthLinks({ database: system, keys: record.keys }),
      bundleBytes: config.bundleBytes,
      allowExpunge: config.allowExpunge,
      writeCcda: (texts, options) => pool.document(texts, options),
      writeSummary: (texts, options) => pool.summary(texts, options),
      labelRules: hubLabels.rules,
      beforeLabelling: (key) => record.forgetLabels(key),
      onLabelling: (key) => void hubLabels.relabel(key),
      onParticipants: () => sender.wake(),
      tryRoute: (route, participant) => tryRoute(route, participant, { http, mail }),
    },
  );
}

/** MLLP, plain or by TLS, which listens from here on. */
export async function openMllp(
  { config, log, onStop }: Wiring,
  {
    gate,
    acks,
    refused,
    participants,
    certificates,
    clientRevocation: revocation,
  }: MessageParts & Access & Revocation & Pick<Ground, 'participants'>,
) {
  const mllp = await startMllp(
    {
      host: config.host,
      port: config.mllpPlain ? config.mllpPort : undefined,
      tls: tlsOf(config),
      maximumFrameBytes: config.messageBytes,
      maximumConnections: config.mllpConnections,
      idleMs: config.mllpIdleMinutes * 60_000,
    },
    { gate, acks, participants, certificates, revocation, refused, log },
  );
  onStop(() => mllp.close());
  return mllp;
}

/** What the MLLP port with TLS needs, where there is one. */
function tlsOf(config: Config) {
  const { mllpTlsPort, mllpTlsCertificate, mllpTlsKey, mllpTlsClientCa, mllpTlsClientRequired } = config;
  if (mllpTlsPort === undefined) return undefined;
  return {
    port: mllpTlsPort,
    certificate: mllpTlsCertificate!,
    key: mllpTlsKey!,
    clientCa: mllpTlsClientCa,
    clientRequired: mllpTlsClientRequired,
  };
}
