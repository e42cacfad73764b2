/** What tests send to places that take files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Answer, FileOutgoing } from './answer.ts';

export const outgoing = (seq: number, text: string): FileOutgoing => ({
  seq,
  controlId: `C${seq}`,
  mediaType: 'application/hl7-v2; charset=utf-8',
  bytes: Buffer.from(text),
});

/** Sends two files, one of them twice: both lie in the folder, which was empty, whole and once. */
export async function expectTaken(
  client: { send(file: FileOutgoing): Promise<Answer>; close(): void },
  folder: string,
): Promise<void> {
  for (const seq of [1, 1, 2]) expect(await client.send(outgoing(seq, `MSH ${seq}`))).toEqual({ kind: 'delivered' });
  client.close();
  expect(readdirSync(folder).sort()).toEqual(['000000000001-C1.hl7', '000000000002-C2.hl7']);
  expect(readFileSync(join(folder, '000000000002-C2.hl7'), 'utf8')).toBe('MSH 2');
}
