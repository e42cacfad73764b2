/** Disposition notifications that come in (RFC 8098 §3): what became of mail that the hub sent. */
import { contentType, decodedBody, type Entity, entityOf, field, leavesOf } from '../mail/index.ts';

export interface Disposition {
  /** The Message-ID of what was sent, without its brackets. */
  original: string;
  /** It has it; it does not, or will not. Undefined for what says neither. */
  isTaken: boolean | undefined;
}

const taken = ['processed', 'dispatched', 'displayed'];
const refused = ['failed', 'error', 'deleted', 'denied'];

/** Whether a mail tells what became of another. */
export function isReport(mail: Entity): boolean {
  return contentType(mail).value === 'multipart/report';
}

/** What a report says; undefined where it is none of a disposition or of a delivery (RFC 3464). */
export function dispositionOf(report: Entity): Disposition | undefined {
  for (const leaf of leavesOf(report) ?? []) {
    const { value } = contentType(leaf);
    if (value !== 'message/disposition-notification' && value !== 'message/delivery-status') continue;
    // Fields of the message are told by a first group, those of the recipient by a second.
    const said = entityOf(
      Buffer.from(
        decodedBody(leaf)
          .toString('latin1')
          .trim()
          .replaceAll(/(\r?\n)+/g, '\n'),
        'latin1',
      ),
    );
    const id = field(said, 'original-message-id') ?? field(said, 'x-original-message-id');
    const [, original] = /^<([^<>\s]+)>$/.exec(id ?? '') ?? [];
    if (original === undefined) return undefined;
    if (value === 'message/delivery-status')
      return { original, isTaken: field(said, 'action')?.toLowerCase() === 'failed' ? false : undefined };
    const disposition = field(said, 'disposition')?.toLowerCase().split(';').at(-1) ?? '';
    const [type = '', modifiers = ''] = disposition.trim().split('/');
    // An error prevented it (RFC 8098 §3.2.6.3).
    const isWrong = refused.includes(type) || /\b(?:error|failure)\b/.test(modifiers);
    return { original, isTaken: isWrong ? false : taken.includes(type) ? true : undefined };
  }
  return undefined;
}
