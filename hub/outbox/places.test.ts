/** Folders and SFTP servers: what lies there after a message was sent, and who is not let in, nor trusted. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSftpServer } from '../testing-sftp.ts';
import { fileName } from './file-name.ts';
import { FolderClient } from './folder-client.ts';
import { SftpClient } from './sftp-client.ts';
import { expectTaken, outgoing } from './testing-files.ts';

let root: string;
const closing: (() => unknown)[] = [];
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'causeway-places-'));
});
afterAll(() => {
  for (const close of closing) close();
  rmSync(root, { recursive: true, force: true });
});

const timeouts = { connectMs: 10_000, answerMs: 10_000 };

it('names files so that they are read in order, and nothing of a name leads elsewhere', () => {
  expect(fileName(outgoing(7, ''))).toBe('000000000007-C7.hl7');
  expect(fileName({ ...outgoing(7, ''), controlId: '../../x' })).toBe('000000000007-______x.hl7');
  expect(fileName({ ...outgoing(7, ''), mediaType: 'application/xml' })).toMatch(/\.xml$/);
});

it('puts a file into a folder whole, once however often it is sent, and says where it cannot', async () => {
  const folder = join(root, 'drop');
  mkdirSync(folder);
  await expectTaken(new FolderClient(folder), folder);
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
  await expectTaken(new SftpClient(place, timeouts), folder);
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
  expect(readdirSync(folder)).toHaveLength(2);
});
