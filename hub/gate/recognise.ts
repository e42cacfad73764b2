/** Messages that come without saying what they are: in a request to the inbox, in a file. */
import type { Dialect, Received } from '../inbox/index.ts';
import { type BundleHead, bundleHead } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { acceptBundle, acceptCcda, acceptV2, type Origin, uncertifiedReason } from './accept.ts';

/**
 * Which dialect the bytes are of: by what they begin with, since senders are careless with content types.
 * @param head of a Bundle, where it was read before
 */
export function recognise(body: Buffer, origin: Origin, participants: Participants, head?: BundleHead): Received {
  const { site } = origin;
  const start = startOf(body);
  if (start.startsWith('MSH')) {
    const { received, query } = acceptV2(body, participants, origin);
    if (query) received.refused ??= 'A query is answered over MLLP and at /hl7 only: here nothing is.';
    // Over this way there is no acknowledgement that could say what number is expected, or what came of it.
    return { ...received, sequence: undefined, applicationWish: undefined };
  }
  if (start.startsWith('{')) {
    const read = head ?? bundleHead(body.toString());
    if ('wrong' in read) return refused(body, 'fhir', site, read.wrong);
    const accepted = acceptBundle(body, site ?? 'api', read.patient, read.identifier);
    return certifiedOnly(accepted, origin, participants);
  }
  // A byte order mark or a zero byte begins XML in UTF-16.
  if (!/^[<\xFE\xFF\0]/.test(start)) {
    const reason = 'The body begins like none of HL7 v2 (MSH), C-CDA (XML) and FHIR (a JSON Bundle).';
    return refused(body, 'unknown', site, reason);
  }
  const document = acceptCcda(body, site, participants);
  if (typeof document === 'string') return refused(body, 'ccda', site, document);
  return certifiedOnly(document, origin, participants);
}

/** What bytes begin with, after what may stand before any message. */
export function startOf(body: Buffer): string {
  return body
    .subarray(0, 200)
    .toString('latin1')
    .replace(/^[\uFEFF\xEF\xBB\xBF\s\v]+/, '');
}

function certifiedOnly(received: Received, origin: Origin, participants: Participants): Received {
  const reason = uncertifiedReason(received.source, origin, participants);
  return reason === undefined ? received : { ...received, refused: reason, lane: 'refused' };
}

function refused(bytes: Buffer, dialect: Dialect, site: string | undefined, reason: string): Received {
  return {
    bytes,
    dialect,
    source: site ?? 'unknown',
    type: 'unreadable',
    controlId: '',
    lane: 'refused',
    refused: reason,
  };
}
