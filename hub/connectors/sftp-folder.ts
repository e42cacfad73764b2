/** A folder of an SFTP server whose host key is known. The client is loaded with the first run that needs it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Folder } from './files.ts';
import { sampleFiles, takeFiles } from './files.ts';
import { type Run, type Source, SourceFault } from './run.ts';
import type { ConnectorSecrets, SftpSettings } from './settings.ts';

type SftpRun = Pick<Run<SftpSettings>, 'settings' | 'secrets' | 'signal'>;

const connectMs = 20_000;

/** @param longest bytes of a message */
export function sftpSource(longest: number): Source {
  const within = async <T>(run: SftpRun, use: (folder: Folder) => Promise<T>): Promise<T> => {
    const folder = await openFolder(run);
    try {
      return await use(folder);
    } finally {
      await folder.close();
    }
  };
  return {
    run: (run) => within(run as Run<SftpSettings>, (folder) => takeFiles(run as Run<SftpSettings>, folder, longest)),
    sample: (run) =>
      within(run as Run<SftpSettings>, (folder) => sampleFiles(run as Run<SftpSettings>, folder, longest)),
  };
}

async function openFolder({ settings, secrets, signal }: SftpRun): Promise<Folder> {
  const { default: Client } = await import('ssh2-sftp-client');
  const client = new Client();
  let isOther = false;
  const { host, port, username, path, fingerprint } = settings;
  // Errors beside a call in progress would end the process; the call that follows fails by itself.
  client.on('error', () => {});
  const abort = () => void client.end().catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  try {
    await client.connect({
      host,
      port,
      username,
      ...(await credentials(settings, secrets)),
      readyTimeout: connectMs,
      hostVerifier: (key: Buffer) => {
        isOther = !isKey(key, fingerprint);
        return !isOther;
      },
    });
  } catch (error) {
    signal.removeEventListener('abort', abort);
    await client.end().catch(() => {});
    if (isOther) throw new SourceFault('The host key of the server is not the one of the fingerprint.');
    throw error instanceof SourceFault ? error : new SourceFault(connectFault(error));
  }
  const at = (name: string) => posix.join(path, name);
  return {
    async list() {
      const entries = await client.list(path);
      return entries
        .filter(({ type }) => type === '-')
        .map(({ name, size, modifyTime }) => ({ name, size, modified: new Date(modifyTime) }));
    },
    async look(name) {
      if (!(await client.exists(at(name)))) return undefined;
      const { size, modifyTime } = await client.stat(at(name));
      return { name, size, modified: new Date(modifyTime) };
    },
    async open(name) {
      const content = new PassThrough();
      client.get(at(name), content).catch((error) => content.destroy(error));
      return content;
    },
    async move(name, to) {
      const below = at(to);
      if ((await client.exists(below)) !== 'd') await client.mkdir(below);
      const target = posix.join(below, name);
      await client.rename(
        at(name),
        (await client.exists(target)) ? posix.join(below, `${Date.now()}-${name}`) : target,
      );
    },
    async close() {
      signal.removeEventListener('abort', abort);
      await client.end().catch(() => {});
    },
  };
}

async function credentials({ passwordFile, privateKeyFile }: SftpSettings, secrets: ConnectorSecrets) {
  const read = async (path: string) =>
    (
      await readFile(path, 'utf8').catch(() => {
        throw new SourceFault('The file of the password or key cannot be read.');
      })
    ).trimEnd();
  const privateKey = privateKeyFile === undefined ? secrets.privateKey : await read(privateKeyFile);
  const password = passwordFile === undefined ? secrets.password : await read(passwordFile);
  if (privateKey === undefined && password === undefined)
    throw new SourceFault('There is neither a password nor a key to sign in with.');
  return {
    ...(privateKey && { privateKey: `${privateKey}\n` }),
    ...(secrets.passphrase && { passphrase: secrets.passphrase }),
    ...(password && { password }),
  };
}

function isKey(key: Buffer, fingerprint: string): boolean {
  const shown = createHash('sha256').update(key).digest();
  const known = Buffer.from(fingerprint.slice('SHA256:'.length), 'base64');
  return shown.length === known.length && timingSafeEqual(shown, known);
}

/** A sentence without what the server or the library says, which may repeat names. */
function connectFault(error: unknown): string {
  const { code, level } = error as { code?: string; level?: string };
  if (level === 'client-authentication' || /authentication/i.test((error as Error).message))
    return 'The server does not let the hub in with this name and password or key.';
  return `The server could not be reached: ${code ?? 'no connection'}.`;
}
