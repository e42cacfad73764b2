/** Files onto an OpenSSH server (Debian: openssh-server), which is the one that most sites have. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { freePort } from '../testing-port.ts';
import type { FileOutgoing } from './answer.ts';
import { SftpClient } from './sftp-client.ts';

const root = mkdtempSync(join(tmpdir(), 'causeway-openssh-'));
const closing: (() => unknown)[] = [];
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
const sshd = '/usr/sbin/sshd';
it('puts files onto an OpenSSH server, by a key', async () => {
  const at = (name: string) => join(root, name);
  const keygen = (name: string) => execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  keygen('host');
  keygen('client');
  mkdirSync(at('openssh'));
  mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  const settings = [`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${at('host')}`, 'UsePAM no', 'StrictModes no'];
  const more = [`AuthorizedKeysFile ${at('client.pub')}`, 'PidFile none', 'PermitRootLogin yes'];
  writeFileSync(at('sshd_config'), [...settings, ...more, 'Subsystem sftp internal-sftp', ''].join('\n'));
  const server = spawn(sshd, ['-D', '-e', '-f', at('sshd_config')], { stdio: 'ignore' });
  closing.push(() => server.kill());
  await answers(port);
  const shown = execFileSync('ssh-keygen', ['-lf', at('host.pub')], { encoding: 'utf8' });
  const place = {
    host: '127.0.0.1',
    port,
    username: userInfo().username,
    fingerprint: shown.split(' ')[1]!,
    keyFile: at('client'),
    path: at('openssh'),
  };
  const client = new SftpClient(place, timeouts);
  for (const seq of [1, 1, 2]) expect(await client.send(outgoing(seq, `MSH ${seq}`))).toEqual({ kind: 'delivered' });
  client.close();
  expect(filesIn(at('openssh'))).toEqual(['000000000001-C1.hl7', '000000000002-C2.hl7']);
  expect(readFileSync(join(at('openssh'), '000000000002-C2.hl7'), 'utf8')).toBe('MSH 2');
});

/** Resolves when somebody listens. */
async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('Nobody listens.');
}
