/** Folders and SFTP servers: what lies there after a message was sent, and who is not let in, nor trusted. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSftpServer } from '../testing-sftp.ts';
import type { FileOutgoing } from './answer.ts';
import { fileName } from './file-name.ts';
import { FolderClient } from './folder-client.ts';
import { SftpClient } from './sftp-client.ts';

let root: string;
const closing: (() => unknown)[] = [];
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'causeway-places-'));
});
afterAll(() => {
  for (const close of closing) close();
  rmSync(root, { recursive: true, force: true });
});

const outgoing = (seq: number, text: string): FileOutgoing => ({
  seq,
  controlId: `C${seq}`,
  mediaType: 'application/hl7-v2; charset=utf-8',
  bytes: Buffer.from(text),
});
const timeouts = { connectMs: 10_000, answerMs: 10_000 };
const filesIn = (folder: string) => readdirSync(folder).sort();

it('names files so that they are read in order, and nothing of a name leads elsewhere', () => {
  expect(fileName(outgoing(7, ''))).toBe('000000000007-C7.hl7');
  expect(fileName({ ...outgoing(7, ''), controlId: '../../x' })).toBe('000000000007-______x.hl7');
  expect(fileName({ ...outgoing(7, ''), mediaType: 'application/xml' })).toMatch(/\.xml$/);
});

it('puts a file into a folder whole, once however often it is sent, and says where it cannot', async () => {
  const folder = join(root, 'drop');
  mkdirSync(folder);
  const client = new FolderClient(folder);
  for (const seq of [1, 1, 2]) expect(await client.send(outgoing(seq, `MSH ${seq}`))).toEqual({ kind: 'delivered' });
  expect(filesIn(folder)).toEqual(['000000000001-C1.hl7', '000000000002-C2.hl7']);
  expect(readFileSync(join(folder, '000000000002-C2.hl7'), 'utf8')).toBe('MSH 2');
  const gone = await new FolderClient(join(root, 'nowhere')).send(outgoing(1, ''));
  expect(gone).toEqual({ kind: 'unreachable', reason: 'The file cannot be written (ENOENT).' });
});

it('puts files onto an SFTP server whose key it knows, and onto no other', async () => {
  const folder = join(root, 'remote', 'in');
  mkdirSync(folder, { recursive: true });
  const passwordFile = join(root, 'password');
  writeFileSync(passwordFile, 'swordfish\n');
  const server = await startSftpServer(join(root, 'remote'), 'swordfish');
  closing.push(() => server.close());
  const { port, fingerprint } = server;
  const place = { host: '127.0.0.1', port, username: 'causeway', fingerprint, passwordFile, path: '/in' };
  const client = new SftpClient(place, timeouts);
  for (const seq of [1, 1, 2]) expect(await client.send(outgoing(seq, `MSH ${seq}`))).toEqual({ kind: 'delivered' });
  client.close();
  expect(filesIn(folder)).toEqual(['000000000001-C1.hl7', '000000000002-C2.hl7']);
  const other = await new SftpClient({ ...place, fingerprint: `SHA256:${'A'.repeat(43)}` }, timeouts).send(
    outgoing(3, ''),
  );
  expect(other).toEqual({
    kind: 'unreachable',
    reason: 'The host key of the server is not the one of the fingerprint.',
  });
  writeFileSync(passwordFile, 'wrong');
  const stranger = await new SftpClient(place, timeouts).send(outgoing(3, ''));
  expect(stranger).toMatchObject({ reason: expect.stringContaining('does not let the hub in') });
  expect(filesIn(folder)).toHaveLength(2);
});
