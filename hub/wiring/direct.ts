/** The door for Direct mail, where the hub has one. */
import { DirectInbox, DirectMails, type DirectServer, startDirect } from '../direct/index.ts';
import { recognise, ServerCertificate } from '../gate/index.ts';
import type { Ground } from './decision.ts';
import type { Inbox } from './inbox.ts';
import type { MessageParts } from './messages.ts';
import type { Wiring } from './wiring.ts';

/** Listens from here on. */
export async function openDirect(
  { config, log, onStop }: Wiring,
  { system, participants, receiver, sending }: Ground & Inbox & MessageParts,
): Promise<DirectServer | undefined> {
  const { host, directPort, directAddress, directCertificate, directKey, tlsCertificate, tlsKey } = config;
  if (directPort === undefined) return undefined;
  const inbox = new DirectInbox({
    certificate: directCertificate!,
    key: directKey!,
    participants,
    mails: new DirectMails(system),
    recognise: (bytes, participant) => recognise(bytes, { site: participant }, participants),
    take: async (received) => {
      const { refused, isErased, ...judged } = await sending.judged(received);
      const { id } = await receiver.receive({ ...judged, ...(refused === undefined ? {} : { refused }) });
      return { id, refused, isErased };
    },
    mostBytes: config.messageBytes,
  });
  const files = { certificate: tlsCertificate!, key: tlsKey!, clientCa: undefined, clientRequired: false };
  const certificate = tlsCertificate === undefined ? undefined : new ServerCertificate('SMTP', files, log);
  const options = { host, port: directPort, address: directAddress!, tls: certificate?.options() };
  const server = await startDirect(options, inbox, log);
  onStop(() => server.close());
  certificate?.keepCurrent(server);
  onStop(() => certificate?.stop());
  return server;
}
