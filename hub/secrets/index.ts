/** Keys kept in files beside the data: the one that wraps data keys, and the one that signs local tokens. */

export { KeyError } from './key-file.ts';
export { masterKey, newDataKey, unwrapDataKey, wrapDataKey } from './master-key.ts';
export { drawBytes } from './random-bytes.ts';
export { existingTokenKey, signToken, type TokenClaims, tokenKey, verifyToken } from './token-key.ts';
