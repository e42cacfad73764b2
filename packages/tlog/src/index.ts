/** A transparency log as pure functions: its Merkle tree as tiles, checkpoints, cosignatures and proofs, in C2SP's forms. */

export { type Checkpoint, readCheckpoint, type SignedCheckpoint, verifyCheckpoint } from './checkpoints.ts';
export { checkpointText, proofText } from './head-text.ts';
export {
  consistencyFolds,
  emptyRoot,
  type Fold,
  type Hash,
  hashBytes,
  inclusionFolds,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  rootFold,
  type Subtree,
} from './merkle.ts';
export { type Note, NoteError, readNote, type SignatureKind, type Verified } from './note-text.ts';
export {
  readVerifier,
  type Signer,
  secretKey,
  signatureLine,
  signerOf,
  signNote,
  type Verifier,
  verifierText,
  verifyNote,
} from './notes.ts';
export {
  cosignersIn,
  isEnough,
  type Policy,
  type PolicyWitness,
  readPolicy,
} from './policy.ts';
export { type Proof, readProof, verifyProof } from './proofs.ts';
export { readSubmission, type Submission, submissionText } from './submissions.ts';
export {
  Edge,
  hashIn,
  proofFrom,
  readTilePath,
  type Tile,
  type TilePlace,
  tileOf,
  tilePath,
  tileWidth,
  widthOf,
} from './tiles.ts';
