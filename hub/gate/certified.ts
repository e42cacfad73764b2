/** For whom client certificates stand that are shown by HTTPS, and what they mean for messages. */
import type { FastifyRequest } from 'fastify';
import { type ClientCertificate, clientCertificate } from '../client-certificate.ts';
import { RecordError } from '../record/index.ts';
import type { Certificates, Participants } from '../trust/index.ts';
import type { Origin } from './accept.ts';
import type { Caller } from './authenticate.ts';

export interface CertifiedParts {
  /** Whether the hub asks the clients of HTTPS for certificates. */
  isAsked: boolean;
  participants: Participants;
  /** Told of those by which participants connect. */
  certificates: Pick<Certificates, 'seen'>;
}

export class Certified {
  readonly #parts: CertifiedParts;

  constructor(parts: CertifiedParts) {
    this.#parts = parts;
  }

  /** The participant for which the certificate of a request stands. */
  participant(request: FastifyRequest): string | undefined {
    const { participants, certificates } = this.#parts;
    const shown = clientCertificate(request.raw);
    const key = shown?.isVerified ? participants.byCertificate(shown.certificate.fingerprint256) : undefined;
    if (key !== undefined) certificates.seen({ participant: key }, shown!.certificate);
    return key;
  }

  /** From whom a message comes. @throws RecordError 403 where token and certificate stand for different participants */
  origin(request: FastifyRequest, caller: Caller): Origin {
    const certified = this.participant(request);
    const { site } = caller;
    if (site !== undefined && certified !== undefined && site !== certified) {
      const text = `The token stands for ${site}, and the client certificate for ${certified}.`;
      throw new RecordError(403, 'forbidden', text);
    }
    return { site: certified ?? site, certified, caller, byCertificate: this.#parts.isAsked };
  }
}

/**
 * Whoever shows a certificate is who it says, or is refused: it is not passed over.
 * @throws RecordError 401 for one that no authority signed which the hub trusts for clients, or that has ended
 */
export function mustVerify(shown: ClientCertificate | undefined): void {
  if (!shown || shown.isVerified) return;
  const text = 'The client certificate is of no authority that this hub trusts for clients, or has ended.';
  throw new RecordError(401, 'login', text);
}
