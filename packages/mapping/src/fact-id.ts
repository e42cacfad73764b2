/**
 * Ids of facts: the same fact always gets the same id, whichever message states it, so that a correction revises
 * what it corrects and a replay changes nothing, without asking the database.
 */
import { createHash } from 'node:crypto';

/**
 * A UUID (version 8, RFC 9562 §5.8) made from the SHA-256 of the fact's identity.
 * @param source the organisation's key on the network
 * @param type FHIR resource type
 * @param identity the fact's own identity within that organisation, its parts in a fixed order
 */
export function factId(source: string, type: string, ...identity: string[]): string {
  const hash = createHash('sha256');
  for (const part of [source, type, ...identity]) hash.update(`${part.length}:${part}`);
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
