/** The client of a route, by its dialect and transport. */
import type { Direct } from '../mail/index.ts';
import type { Endpoint, Hl7HttpEndpoint, MllpEndpoint } from '../trust/index.ts';
import type { Answer, Client, Timeouts, V2Outgoing } from './answer.ts';
import { DirectClient } from './direct-client.ts';
import { FolderClient } from './folder-client.ts';
import { Hl7HttpClient } from './hl7-http-client.ts';
import { HttpClient } from './http-client.ts';
import type { HttpParts } from './http-post.ts';
import { MllpClient } from './mllp-client.ts';
import type { Pickup } from './pickup.ts';
import { PickupClient } from './pickup-client.ts';
import { SftpClient } from './sftp-client.ts';

/** Sends HL7 v2 and hears what comes of it: a Client that needs nothing else of what it sends. */
export interface V2Client extends Client {
  send(outgoing: V2Outgoing): Promise<Answer>;
}

/** What routes are sent by. */
export interface ClientParts {
  timeouts: Timeouts;
  http: HttpParts;
  mail: MailParts;
  /** Told of acknowledgements that came after their time. */
  onLate?: (controlId: string, answer: Answer) => void;
}

/** What writes mail; undefined where the hub is told of no server or address for it. */
export interface MailParts {
  direct: Direct | undefined;
  pickup: Pickup | undefined;
}

export function clientOf(to: Endpoint, parts: ClientParts): Client {
  if ('folder' in to) return new FolderClient(to.folder);
  if ('sftp' in to) return new SftpClient(to.sftp, parts.timeouts);
  if ('pickup' in to) return new PickupClient(to.pickup, parts.mail.pickup);
  if ('direct' in to) return new DirectClient(to.direct, parts.mail.direct);
  return to.dialect === 'hl7v2' ? v2ClientOf(to, parts) : new HttpClient(to, parts.http, parts.timeouts);
}

export function v2ClientOf(to: MllpEndpoint | Hl7HttpEndpoint, parts: Omit<ClientParts, 'mail'>): V2Client {
  return 'host' in to
    ? new MllpClient(to, parts.timeouts, { onLate: parts.onLate, distrust: parts.http.distrust })
    : new Hl7HttpClient(to, parts.http, parts.timeouts);
}
