/** Hands a notification to the channel of its subscription, where that is one by which the hub comes to its client. */
import type { Mailer } from '../mail/index.ts';
import { postHook, type Reach, type Untaken } from './http.ts';
import { type MailPace, mailOf, sendMail } from './mail.ts';
import { messageAddress, messageOf, refusalIn } from './message.ts';
import { keptNoLonger, type NotificationType, notification, type Telling } from './notification.ts';
import type { Live } from './registry.ts';
import type { Kept } from './store.ts';

export interface PushParts {
  reach: Reach;
  /** The address of the FHIR server, and of the screens. */
  base(): string;
  pages(): string;
  /** Undefined where the hub sends no mail. */
  mailer: Mailer | undefined;
  mailPace: MailPace;
}

/**
 * @param last the number of the last event that is told of
 * @returns why the channel did not take it; undefined where it did
 */
export async function push(
  parts: PushParts,
  live: Live,
  type: NotificationType,
  told: readonly Telling[],
  last: number,
): Promise<Untaken | undefined> {
  switch (live.definition.channel) {
    case 'email':
      return toMailbox(parts, live, type, last);
    case 'message':
      return toServer(parts, live, type, told, last);
    default:
      return toHook(parts, live, type, told, last);
  }
}

async function toMailbox(
  { mailer, mailPace, pages }: PushParts,
  { kept, definition }: Live,
  type: NotificationType,
  last: number,
) {
  const mailbox = definition.endpoint!;
  const failed = await sendMail(mailer, (from) => mailOf({ kept, mailbox, pages: pages(), from, type, last }));
  if (!failed) mailPace.told(mailbox, Date.now());
  return failed;
}

async function toServer(
  { reach, base }: PushParts,
  { kept, definition }: Live,
  type: NotificationType,
  told: readonly Telling[],
  last: number,
) {
  const endpoint = definition.endpoint!;
  const url = messageAddress(endpoint);
  const send = (identity: string, focus: { fullUrl: string; text: string } | undefined) => {
    const message = messageOf({ base: base(), endpoint, identity: `${kept.rid} ${identity}`, focus });
    return postHook(definition, 'POST', url, message, reach, refusalIn);
  };
  if (definition.topic) {
    const text = notification(base(), asTold(kept, told, last), definition, type, told);
    const numbers = told.map(({ event }) => event.number).join();
    const moment = type === 'heartbeat' ? new Date().toISOString() : `version ${kept.version}`;
    return send(`${type} ${numbers || moment}`, { fullUrl: `urn:uuid:${JSON.parse(text).id}`, text });
  }
  for (const { event, isVisible, text } of told) {
    if (!isVisible) continue;
    const fullUrl = `${base()}/${event.type}/${event.id}`;
    const failed = await send(`event ${event.number}`, text === undefined ? undefined : { fullUrl, text });
    if (failed) return failed;
  }
  return undefined;
}

async function toHook(
  { reach, base }: PushParts,
  { kept, definition }: Live,
  type: NotificationType,
  told: readonly Telling[],
  last: number,
) {
  if (definition.topic) {
    const text = notification(base(), asTold(kept, told, last), definition, type, told);
    return postHook(definition, 'POST', definition.endpoint!, text, reach);
  }
  if (type !== 'event-notification') return undefined;
  for (const { event, isVisible, text } of told) {
    if (!isVisible) continue;
    const isWhole = definition.content === 'resource' && text !== undefined;
    const url = isWhole ? `${definition.endpoint!.replace(/\/$/, '')}/${event.type}/${event.id}` : definition.endpoint!;
    const failed = await postHook(definition, isWhole ? 'PUT' : 'POST', url, isWhole ? text : undefined, reach);
    if (failed) return failed;
  }
  return undefined;
}

/** What a notification says of its subscription: where it arrives, the channel is well. */
function asTold(kept: Kept, told: readonly Telling[], last: number): Kept {
  const events = told.map(({ event }) => event);
  return { ...kept, state: 'active', reason: keptNoLonger(kept.told + 1, last, events) };
}
