/** What goes on with other systems by itself: subscribers, other hubs, sources that only answer, jobs in bulk. */
import { Bulk } from '../bulk/index.ts';
import { Connectors, fhirSource, localFolderSource, sftpSource, sqlSource } from '../connectors/index.ts';
import { recognise } from '../gate/index.ts';
import { Network } from '../network/index.ts';
import { Subscriptions } from '../subscriptions/index.ts';
import type { Access } from './access.ts';
import type { Ground } from './decision.ts';
import type { Inbox } from './inbox.ts';
import type { MessageParts } from './messages.ts';
import type { Outbox } from './outbox.ts';
import type { Revocation } from './revocation.ts';
import type { Wiring } from './wiring.ts';

export type Exchange = ReturnType<typeof wireExchange>;

export function wireExchange(
  { config, log }: Wiring,
  parts: Ground & Inbox & Outbox & MessageParts & Access & Revocation,
) {
  const { system, master, tokenKey, participants, accessLog, record, policy, pool, receiver } = parts;
  const { signingKeys, mailer, sending, authenticator, persons, distrust } = parts;
  const keys = () => signingKeys.load();
  const subscriptions = new Subscriptions({
    database: system,
    record,
    accessLog,
    log,
    accessOf: async (asker) => {
      const found = await authenticator.later(asker, 'receive');
      return typeof found === 'string' ? undefined : found;
    },
    notifyTo: config.notifyTo,
    distrust,
    mailer,
    pauses: { mailMs: config.mailMinutes * 60_000 },
    tokenKey,
    days: 30,
  });
  const network = new Network({
    database: system,
    record,
    participants,
    policy,
    accessLog,
    receiver,
    persons,
    master,
    log,
    keys,
    peersAt: config.peersAt,
    distrust,
  });
  const connectors = new Connectors({
    database: system,
    master,
    participants,
    pool,
    sources: {
      fhir: fhirSource(keys, distrust),
      folder: localFolderSource(config.connectorFolders, config.messageBytes),
      sftp: sftpSource(config.messageBytes),
      sql: sqlSource,
    },
    recognise: (bytes, participant) => recognise(bytes, { site: participant }, participants),
    take: async (received) => {
      const judged = await sending.judged(received);
      const receipt = await receiver.receive(judged);
      // One person who was erased keeps nobody else's data from being taken.
      return judged.isErased ? { ...receipt, duplicate: true } : { ...receipt, refused: judged.refused };
    },
    refused: async (participant) => {
      await policy.fresh();
      return policy.refused(participant, 'send');
    },
    log,
  });
  const { importFrom, importBytes, bulkHours: hours } = config;
  const bulk = new Bulk(
    { database: system, record, master, log, accessNow: (...asked) => authenticator.later(...asked) },
    { importFrom, importBytes, hours },
  );
  return { subscriptions, network, connectors, bulk };
}
