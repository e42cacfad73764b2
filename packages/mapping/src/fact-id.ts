/**
 * Ids of facts: the same fact always gets the same id, whichever message states it, so that a correction revises
 * what it corrects and a replay changes nothing, without asking the database.
 */
import { hash } from 'node:crypto';

/**
 * A UUID (version 8, RFC 9562 §5.8) made from the SHA-256 of the fact's identity.
 * @param source the organisation's key on the network
 * @param type FHIR resource type
 * @param identity the fact's own identity within that organisation, its parts in a fixed order
 */
export function factId(source: string, type: string, ...identity: string[]): string {
  let stated = `${source.length}:${source}${type.length}:${type}`;
  for (const part of identity) stated += `${part.length}:${part}`;
  const hex = hash('sha256', stated, 'hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
