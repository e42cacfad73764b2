/** The outbox: what tells organisations, who cares for whom, and the loops that have to be closed. */
import { revocationOf, SigningKeys } from '../authorization/index.ts';
import {
  careRulesOf,
  LateMail,
  Loops,
  LoopWatch,
  Panels,
  Relationships,
  ReplacedSummaries,
  Summaries,
} from '../care/index.ts';
import { documentId, originalOf, writeDocument, writeWithdrawal } from '../gate/index.ts';
import { Direct, Mailer } from '../mail/index.ts';
import {
  AcknowledgementRoutes,
  Deliveries,
  DeliveryRetention,
  Derivation,
  type DocumentParts,
  Pickup,
  Sender,
} from '../outbox/index.ts';
import type { Ground } from './decision.ts';
import type { Inbox } from './inbox.ts';
import type { Revocation } from './revocation.ts';
import type { Wiring } from './wiring.ts';

export type Outbox = ReturnType<typeof wireOutbox>;

export function wireOutbox({ config, log, fault }: Wiring, parts: Ground & Inbox & Revocation) {
  const { distrust, directRevocation } = parts;
  const { database, system, master, tokenKey, participants, accessLog, record, persons, policy, pool, messages } =
    parts;
  const signingKeys = new SigningKeys(database, master);
  const sendTo = [...config.sendTo];
  const http = { allowed: () => sendTo, keys: () => signingKeys.load(), distrust };
  const mailer = Mailer.of(config);
  /** Where the hub's pages are, as soon as that is known. */
  const opened = { at: config.publicUrl ?? '' };
  const pages = () => opened.at;
  const writeCcda: typeof pool.document = (texts, options) => pool.document(texts, options);
  const documents: DocumentParts = {
    write: async (access, of, as) => {
      const subject = of.kind === 'ccd' ? { ...of, start: undefined, end: undefined } : of;
      return (await writeDocument({ record, writeCcda }, access, subject, as)).xml;
    },
    withdraw: (...said) => writeWithdrawal(writeCcda, ...said),
    original: (access, message, part) => originalOf(messages, access, message, part),
  };
  const telling = { database: system, record, participants, policy, accessLog, documents };
  const pickup = mailer && new Pickup({ ...telling, mailer, tokenKey, pages });
  const direct = Direct.of(config, mailer, (certificates) => revocationOf(certificates, directRevocation));
  const mail = { direct, pickup };
  const sender = new Sender({ ...telling, http, mail, log, retell: (...missed) => derivation.retell(...missed) });
  const careRules = () => careRulesOf(policy.lastKnown);
  const relationships = new Relationships(record.keys, participants, careRules);
  // Before what tells of it.
  new ReplacedSummaries(record);
  const derivation = new Derivation(
    record,
    persons,
    participants,
    (...derived) => sender.derived(...derived),
    relationships,
  );
  new Loops(record, participants, careRules);
  const loopWatch = new LoopWatch(
    system,
    (late) => log.warn({ late }, 'loops of care are late and were brought before people'),
    fault('loops of care were not looked at'),
    new Summaries(system, record, careRules, (encounter) => documentId({ kind: 'discharge-summary', encounter })),
    mailer && new LateMail({ database: system, participants, mailer, pages }),
  );
  return {
    signingKeys,
    sendTo,
    http,
    mailer,
    opened,
    pickup,
    mail,
    sender,
    acknowledgementRoutes: new AcknowledgementRoutes({ database: system, master, participants, http, log }),
    deliveries: new Deliveries(system, participants, () => sender.wake()),
    deliveryRetention: new DeliveryRetention(system, participants),
    panels: new Panels({ database: system, record, persons, relationships, accessLog }),
    loopWatch,
  };
}
