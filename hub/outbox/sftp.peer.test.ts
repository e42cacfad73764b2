/** Files onto an OpenSSH server (Debian: openssh-server), which is the one that most sites have. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { freePort } from '../testing-port.ts';
import { SftpClient } from './sftp-client.ts';
import { expectTaken } from './testing-files.ts';

const root = mkdtempSync(join(tmpdir(), 'causeway-openssh-'));
const closing: (() => unknown)[] = [];
afterAll(() => {
  for (const close of closing) close();
  rmSync(root, { recursive: true, force: true });
});

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
  await expectTaken(new SftpClient(place, { connectMs: 10_000, answerMs: 10_000 }), at('openssh'));
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
