/** The door for Direct mail, where the hub has one. */
import {
  DirectInbox,
  DirectMails,
  type DirectServer,
  type MailRefusal,
  Notifier,
  startDirect,
} from '../direct/index.ts';
import { recognise, ServerCertificate } from '../gate/index.ts';
import { noteDirectAnswer, noteUnanswered } from '../outbox/index.ts';
import type { Ground } from './decision.ts';
import type { Inbox } from './inbox.ts';
import type { MessageParts } from './messages.ts';
import type { Outbox } from './outbox.ts';
import type { Revocation } from './revocation.ts';
import type { Wiring } from './wiring.ts';

/** Listens from here on; whom the mail is from is told by the notifier, which one hub leads. */
export async function openDirect(
  { config, log, onStop }: Wiring,
  {
    system,
    participants,
    receiver,
    sending,
    refused: refusals,
    mail,
    directRevocation: revocation,
  }: Ground & Inbox & Outbox & MessageParts & Revocation,
): Promise<{ server: DirectServer; notifier: Notifier } | undefined> {
  const { host, directPort, directAddress, directCertificate, directKey, tlsCertificate, tlsKey } = config;
  if (directPort === undefined || !mail.direct) return undefined;
  const mails = new DirectMails(system);
  const notifier = new Notifier({
    mails,
    direct: mail.direct,
    unanswered: () => noteUnanswered(system, participants, config.directMinutes),
    log,
  });
  const inbox = new DirectInbox({
    address: directAddress!,
    certificate: directCertificate!,
    key: directKey!,
    participants,
    revocation,
    mails,
    recognise: (bytes, participant) => recognise(bytes, { site: participant }, participants),
    take: async (received) => {
      const { refused, isErased, ...judged } = await sending.judged(received);
      const { id } = await receiver.receive({ ...judged, ...(refused === undefined ? {} : { refused }) });
      return { id, refused, isErased };
    },
    mostBytes: config.messageBytes,
    heard: ({ participant, address }, delivery, isTaken) =>
      noteDirectAnswer(system, { destination: participants.byKey(participant), address }, delivery, isTaken),
    onNotice: () => notifier.wake(),
    log,
  });
  const files = { certificate: tlsCertificate!, key: tlsKey!, clientCa: undefined, clientRequired: false };
  const certificate = tlsCertificate === undefined ? undefined : new ServerCertificate('SMTP', files, log);
  const options = {
    host,
    port: directPort,
    address: directAddress!,
    tls: certificate?.options(),
    refused: (from: string | undefined, { responseCode, participant }: MailRefusal) =>
      refusals.told({ certified: participant, address: from }, 'Direct mail', responseCode === 550 ? 403 : 400),
  };
  const server = await startDirect(options, inbox, log);
  onStop(() => server.close());
  certificate?.keepCurrent(server);
  onStop(() => certificate?.stop());
  return { server, notifier };
}
