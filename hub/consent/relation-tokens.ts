/** What of the record names an organisation of the network, as hashes of its rows (see `hub/trust/relation.ts`). */
import { participantSystem } from '@causeway/access';
import { codedHash, type IndexKey, logicalHash, logicalSystemHash, referenceMask, tokenHash } from '../record/index.ts';
import { provingTypes, type RelationTokens } from '../trust/index.ts';

const most = 10_000;

/** @param index the key of the rows @returns the tokens of the organisation of a participant's key */
export function relationTokensBy(index: IndexKey): (organization: string) => RelationTokens {
  const remembered = new Map<string, RelationTokens>();
  return (organization) => {
    const known = remembered.get(organization);
    if (known) return known;
    const tokens = tokensOf(organization, index);
    if (remembered.size >= most) remembered.clear();
    remembered.set(organization, tokens);
    return tokens;
  };
}

function tokensOf(organization: string, index: IndexKey): RelationTokens {
  const types = Object.entries(provingTypes);
  const keyed = (hashes: bigint[]) => index.keyed(hashes).map(String);
  const one = (hash: bigint) => String(index.keyedOne(hash));
  return {
    logical: keyed(types.map(([type, { parameter }]) => logicalHash(type, parameter, organization))),
    logicalMarkers: keyed(
      types.map(([type, { parameter }]) => logicalSystemHash(type, parameter, participantSystem, organization)),
    ),
    identifier: one(tokenHash('Organization', 'identifier', organization)),
    identifierMarker: one(codedHash('Organization', 'identifier', participantSystem, organization)),
    masks: types.map(([type, { parameter }]) => String(referenceMask(type, parameter, 'Organization'))),
    void: keyed(types.flatMap(([type, { void: codes }]) => codes.map((code) => tokenHash(type, 'status', code)))),
  };
}
