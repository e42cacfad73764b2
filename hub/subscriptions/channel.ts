/** The channels of subscriptions: what may be asked of each (Subscriptions R5 Backport 1.1, "Channels"). */
import type { Extension, Subscription } from '@medplum/fhirtypes';
import { mailboxOf } from '../mail/index.ts';
import { RecordError } from '../record/index.ts';

export const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

export type ChannelType = 'rest-hook' | 'websocket' | 'message' | 'email';

export interface Channel {
  channel: ChannelType;
  endpoint: string | undefined;
  headers: [string, string][];
}

const maximumHeaders = 20;

/** @throws RecordError 422 for what the hub would not keep to */
export function channelOf({ channel }: Subscription): Channel {
  const { type, endpoint, header = [], _type } = channel as typeof channel & { _type?: { extension?: Extension[] } };
  const custom = _type?.extension?.find(({ url }) => url === `${backport}/backport-channel-type`);
  if (custom) throw refused('channel.type', 'asks for a channel of its own, which this server does not have');
  if (type === 'websocket') return { channel: type, endpoint: undefined, headers: [] };
  if (type === 'email') return { channel: type, endpoint: mailOf(channel), headers: [] };
  if (type !== 'rest-hook' && type !== 'message')
    throw refused('channel.type', `is ${type}; this server has rest-hook, websocket, message and email`);
  if (!endpoint || !URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw refused('channel.endpoint', 'must be the http(s) address to which notifications are sent');
  const { username, password } = new URL(endpoint);
  if (username || password) throw refused('channel.endpoint', 'has a user or password in it; use channel.header');
  if (header.length > maximumHeaders) throw refused('channel.header', `has more than ${maximumHeaders} headers`);
  return { channel: type, endpoint, headers: header.map(headerOf) };
}

/** Mail is read on its way by whoever carries it: it says that there is something, and nothing of it. */
function mailOf(channel: Subscription['channel']): string {
  const {
    endpoint,
    header = [],
    payload,
    extension = [],
    _payload,
  } = channel as typeof channel & {
    _payload?: { extension?: Extension[] };
  };
  const mailbox = mailboxOf(endpoint ?? '');
  if (mailbox === undefined) throw refused('channel.endpoint', 'must be mailto: and the address of one mailbox');
  if (header.length > 0) throw refused('channel.header', 'is not for mail');
  if (payload && payload !== 'text/plain')
    throw refused('channel.payload', 'must be text/plain: mail of this server has nothing attached');
  const content = _payload?.extension?.find(({ url }) => url === `${backport}/backport-payload-content`)?.valueCode;
  if (content !== undefined && content !== 'empty')
    throw refused('channel.payload', 'has a content; that of mail is empty, since mail can be read on its way');
  if (extension.some(({ url }) => url === `${backport}/backport-heartbeat-period`))
    throw refused('channel.extension', 'asks for a heartbeat, which mail does not have');
  return mailbox;
}

const ownHeaders = new Set([
  'host',
  'content-length',
  'content-type',
  'connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'keep-alive',
  'proxy-connection',
]);

function headerOf(line: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw refused('channel.header', 'must be name: value');
  if (ownHeaders.has(name.toLowerCase())) throw refused('channel.header', `sets ${name}, which is the server’s`);
  return [name, value.trim()];
}

/** A refusal of what an element asks for. */
export function refused(element: string, text: string): RecordError {
  return new RecordError(422, 'not-supported', `Subscription.${element} ${text}.`, `Subscription.${element}`);
}
