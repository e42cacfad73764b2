/**
 * Notifications as FHIR messages (https://hl7.org/fhir/R4/messaging.html): a Bundle with a MessageHeader whose focus is the
 * notification (Subscriptions R5 Backport 1.1, "FHIR Messaging"), or, by criteria, the resource.
 */
import { createHash, randomUUID } from 'node:crypto';

const event = 'urn:causeway:event:subscription-notification';
const operation = '/$process-message';

export interface MessageParts {
  /** The address of the FHIR server that sends, and of the one that is told. */
  base: string;
  endpoint: string;
  /** What makes this message this one: sent again, it has the same id, so that a receiver can tell. */
  identity: string;
  /** The notification, or the resource; undefined where there is only that something changed. */
  focus: { fullUrl: string; text: string } | undefined;
}

/** A message Bundle, as JSON. */
export function messageOf({ base, endpoint, identity, focus }: MessageParts): string {
  const id = uuidOf(identity);
  const header = JSON.stringify({
    fullUrl: `urn:uuid:${id}`,
    resource: {
      resourceType: 'MessageHeader',
      id,
      eventUri: event,
      destination: [{ endpoint }],
      source: { software: 'Causeway', endpoint: base },
      ...(focus ? { focus: [{ reference: focus.fullUrl }] } : {}),
    },
  });
  const entries = focus ? [header, `{"fullUrl":${JSON.stringify(focus.fullUrl)},"resource":${focus.text}}`] : [header];
  const head = JSON.stringify({
    resourceType: 'Bundle',
    id: randomUUID(),
    type: 'message',
    timestamp: new Date().toISOString(),
  });
  return `${head.slice(0, -1)},"entry":[${entries.join(',')}]}`;
}

/** Where messages for a FHIR server go: its `$process-message`, unless the address is that already. */
export function messageAddress(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.pathname.endsWith(operation)) url.pathname = `${url.pathname.replace(/\/$/, '')}${operation}`;
  return url.href;
}

/** Why the receiver says in its answer that it did not take a message (MessageHeader.response.code); undefined where it took it. */
export function refusalIn(answer: string): string | undefined {
  if (!answer.trimStart().startsWith('{')) return undefined;
  try {
    const code = JSON.parse(answer).entry?.[0]?.resource?.response?.code;
    return code === 'transient-error' || code === 'fatal-error' ? `The endpoint answered ${code}.` : undefined;
  } catch {
    return undefined;
  }
}

/** A UUID of a text's own (version 8 of RFC 9562). */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
