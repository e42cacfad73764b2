/** Other hubs: whom they know, what they let this hub see, and what changes there. */
export type { Followed } from './followed.ts';
export { forgetNetworks } from './forget.ts';
export { Network } from './network.ts';
export { matchingKeyColumn, type Peer, usualScope } from './peers.ts';
export { isTokens } from './private-matching.ts';
