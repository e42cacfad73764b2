/** Keys kept in files beside the data: those that wrap data keys, and the one that signs local tokens. */

export { existingErasureKey, keepErasureKey } from './erasure-key.ts';
export { KeyError } from './key-file.ts';
export { MasterFiles, masterKey } from './master-files.ts';
export { fixedMasterKey, MasterKey, newDataKey, unwrapDataKey, wrapDataKey } from './master-key.ts';
export { drawBytes } from './random-bytes.ts';
export { KeyRotation, type RotationState, type WrappedColumn } from './rotation.ts';
export { existingTokenKey, signToken, type TokenClaims, tokenKey, verifyToken } from './token-key.ts';
