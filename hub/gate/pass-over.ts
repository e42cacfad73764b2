/** Reads what is still to come of a body that is refused, so that its sender comes to read the answer. */
import type { Readable } from 'node:stream';
import { giveBack } from '../record/index.ts';

export function passOver(body: Readable): void {
  body
    .on('error', () => {})
    .on('data', giveBack)
    .resume();
}
