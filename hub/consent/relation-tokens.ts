/** What of the record names an organisation of the network, as hashes of its rows (see `hub/trust/relation.ts`). */
import { participantSystem } from '@causeway/access';
import { codedHash, logicalHash, logicalSystemHash, referenceMask, tokenHash } from '../record/index.ts';
import { provingTypes, type RelationTokens } from '../trust/index.ts';

const remembered = new Map<string, RelationTokens>();
const most = 10_000;

/** @param organization the key of a participant */
export function relationTokens(organization: string): RelationTokens {
  const known = remembered.get(organization);
  if (known) return known;
  const types = Object.entries(provingTypes);
  const tokens: RelationTokens = {
    logical: types.map(([type, { parameter }]) => String(logicalHash(type, parameter, organization))),
    logicalMarkers: types.map(([type, { parameter }]) =>
      String(logicalSystemHash(type, parameter, participantSystem, organization)),
    ),
    identifier: String(tokenHash('Organization', 'identifier', organization)),
    identifierMarker: String(codedHash('Organization', 'identifier', participantSystem, organization)),
    masks: types.map(([type, { parameter }]) => String(referenceMask(type, parameter, 'Organization'))),
    void: types.flatMap(([type, { void: codes }]) => codes.map((code) => String(tokenHash(type, 'status', code)))),
  };
  if (remembered.size >= most) remembered.clear();
  remembered.set(organization, tokens);
  return tokens;
}
