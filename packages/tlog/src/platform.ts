/** Runs checks with the cryptography of Node. */
import { hash, type KeyObject, verify } from 'node:crypto';
import type { Check } from './checks.ts';

/** What a check finds. @throws NoteError with what does not hold */
export function answered<T>(check: Check<T, KeyObject>): T {
  let step = check.next();
  while (!step.done) {
    const asked = step.value;
    step = check.next(
      'digest' in asked
        ? hash('sha256', asked.digest, 'buffer')
        : verify(null, asked.message, asked.key, asked.signature),
    );
  }
  return step.value;
}
