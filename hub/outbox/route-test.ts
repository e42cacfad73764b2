/**
 * Tries a route without telling anything of anybody. A receiver of HL7 v2 is sent an application management message (NMD^N02,
 * v2.5.1 chapter 14) with the hub's clock; a FHIR server is asked for its CapabilityStatement; a folder is looked at.
 */
import { access, constants } from 'node:fs/promises';
import { newId } from '../record/index.ts';
import type { HttpPlace, Participant, Route } from '../trust/index.ts';
import { type ClientParts, v2ClientOf } from './clients.ts';
import { controlIdOf } from './control-id.ts';
import { HttpSender } from './http-post.ts';
import { SftpClient } from './sftp-client.ts';

export interface Tried {
  /** Whether something that is sent by the route would arrive, as far as can be said without sending it. */
  ok: boolean;
  /** What was found, in a sentence. */
  found: string;
}

const timeouts = { connectMs: 10_000, answerMs: 15_000 };

export type TryRoute = (route: Route, participant: Participant) => Promise<Tried>;

/** Never rejects. */
export async function tryRoute(
  { to }: Route,
  participant: Participant,
  parts: Omit<ClientParts, 'timeouts' | 'onLate'>,
): Promise<Tried> {
  if ('folder' in to) {
    return access(to.folder, constants.W_OK).then(
      () => ({ ok: true, found: 'The folder is there and can be written to.' }),
      ({ code }) => ({ ok: false, found: `The folder cannot be written to (${code}).` }),
    );
  }
  if ('sftp' in to) {
    const client = new SftpClient(to.sftp, timeouts);
    const fault = await client.look();
    client.close();
    return { ok: fault === undefined, found: fault ?? 'The server lets the hub in, and the folder is there.' };
  }
  if (to.dialect === 'hl7v2') {
    const controlId = controlIdOf(newId());
    const { application = participant.sendingApplication, facility = participant.sendingFacility, version } = to;
    const names = `${application ?? ''}|${facility ?? ''}`;
    const client = v2ClientOf({ ...to, acknowledgement: 'original' }, { ...parts, timeouts });
    const bytes = Buffer.from(clockMessage(names, controlId, version ?? '2.5.1', new Date()));
    const answer = await client.send({ controlId, bytes });
    client.close();
    if (answer.kind === 'unreachable') return { ok: false, found: answer.reason };
    return {
      ok: true,
      found:
        answer.kind === 'refused'
          ? `It answers, and does not take a message of the kind NMD, which is no fault. ${answer.reason}`
          : 'It took the message and acknowledged it.',
    };
  }
  if ('url' in to) return tryHttp(to, parts);
  return { ok: false, found: 'This kind of route cannot be tried without sending something.' };
}

async function tryHttp(
  to: HttpPlace & { dialect: string; form?: string },
  { http }: Pick<ClientParts, 'http'>,
): Promise<Tried> {
  const sender = new HttpSender(to, http, timeouts.answerMs);
  const isFhir = to.dialect === 'fhir' && to.form !== 'document';
  const answer = isFhir
    ? await sender.send('GET', `${to.url.replace(/\/$/, '')}/metadata`, { accept: 'application/fhir+json' })
    : await sender.send('OPTIONS', to.url, {});
  sender.close();
  if (answer.status === undefined) return { ok: false, found: answer.reason };
  const isIn = answer.status < 400 || answer.status === 404 || answer.status === 405;
  return { ok: isFhir ? answer.ok : isIn, found: `It answered ${answer.status}.` };
}

function clockMessage(names: string, controlId: string, version: string, now: Date): string {
  const time = now.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const type = version < '2.4' ? 'NMD^N02' : 'NMD^N02^NMD_N02';
  return `MSH|^~\\&|CAUSEWAY|CAUSEWAY|${names}|${time}+0000||${type}|${controlId}|T|${version}\rNCK|${time}+0000\r`;
}
