/** The verifying half of the log for browsers: no Node, the cryptography of the Web (SHA-256, Ed25519). */
import { base64, bytesOf, type Check, isEqual, sha256 } from './checks.ts';
import {
  checkpointCheck,
  type Head,
  proofCheck,
  readHead,
  readProofLines,
  type SignedHead,
  type Trusted,
} from './head-text.ts';
import { NoteError, type TrustedKey, verifierCheck } from './note-text.ts';
import { consistencyCheck, leafCheck } from './paths.ts';
import { cosignersIn, isEnough, type Policy, readPolicy } from './policy.ts';
import { readSubmission } from './submissions.ts';

export {
  base64,
  bytesOf,
  type Check,
  checkpointCheck,
  consistencyCheck,
  cosignersIn,
  type Head,
  isEnough,
  isEqual,
  leafCheck,
  NoteError,
  type Policy,
  proofCheck,
  readHead,
  readPolicy,
  readProofLines,
  readSubmission,
  type SignedHead,
  sha256,
  type Trusted,
  type TrustedKey,
};

/** What a check finds. @throws NoteError with what does not hold */
export async function answered<T>(check: Check<T, CryptoKey>): Promise<T> {
  let step = check.next();
  while (!step.done) {
    const asked = step.value;
    step = check.next(
      'digest' in asked
        ? new Uint8Array(await crypto.subtle.digest('SHA-256', asked.digest as BufferSource))
        : await crypto.subtle.verify(
            'Ed25519',
            asked.key,
            asked.signature as BufferSource,
            asked.message as BufferSource,
          ),
    );
  }
  return step.value;
}

/** A trusted key of its text form. @throws NoteError where the text is not that of an Ed25519 key */
export async function readVerifier(text: string): Promise<TrustedKey<CryptoKey>> {
  const read = await answered(verifierCheck(text));
  return {
    ...read,
    key: await crypto.subtle.importKey('raw', read.key as BufferSource, 'Ed25519', false, ['verify']),
  };
}
