/** An SFTP server over a folder, by a library that is not the client's own code path: enough for listing, reading, writing, moving. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';

export interface SftpServer {
  port: number;
  /** As `ssh-keygen -lf` shows it. */
  fingerprint: string;
  close(): void;
}

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

/** @param password the only one that is let in, of the user `causeway` */
export async function startSftpServer(root: string, password: string): Promise<SftpServer> {
  const { privateKey, parsed } = hostKey();
  const fingerprint = `SHA256:${createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (asked) => {
      const isRight = asked.method === 'password' && asked.username === 'causeway' && asked.password === password;
      if (isRight) asked.accept();
      else asked.reject(['password']);
    });
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => serve(acceptSftp(), root));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, fingerprint, close: () => server.close() };
}

function serve(sftp: ssh2.SFTPWrapper, root: string): void {
  const handles = new Map<number, { fd: number } | { names: string[]; path: string }>();
  let next = 0;
  const keep = (handle: { fd: number } | { names: string[]; path: string }) => {
    handles.set(++next, handle);
    const id = Buffer.alloc(4);
    id.writeUInt32BE(next);
    return id;
  };
  const at = (path: string) => join(root, path);
  const attributes = (path: string) => {
    const { mode, uid, gid, size, atimeMs, mtimeMs } = statSync(path);
    return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
  };
  const tried = (id: number, act: () => void) => {
    try {
      act();
    } catch (error) {
      const isMissing = (error as { code?: string }).code === 'ENOENT';
      sftp.status(id, isMissing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
    }
  };
  const done = (id: number, act: () => void) =>
    tried(id, () => {
      act();
      sftp.status(id, STATUS_CODE.OK);
    });
  // biome-ignore lint/suspicious/noExplicitAny: the library's types have the client's side only.
  const server = sftp as any;
  server.on('REALPATH', (id: number, path: string) =>
    server.name(id, [{ filename: path === '.' ? '/' : path, longname: path, attrs: {} }]),
  );
  for (const name of ['STAT', 'LSTAT'])
    server.on(name, (id: number, path: string) => tried(id, () => server.attrs(id, attributes(at(path)))));
  server.on('OPEN', (id: number, path: string, flags: number) =>
    tried(id, () => server.handle(id, keep({ fd: openSync(at(path), flags & OPEN_MODE.WRITE ? 'w' : 'r') }))),
  );
  server.on('WRITE', (id: number, handle: Buffer, offset: number, bytes: Buffer) => {
    const { fd } = handles.get(handle.readUInt32BE()) as { fd: number };
    done(id, () => writeSync(fd, bytes, 0, bytes.length, offset));
  });
  server.on('REMOVE', (id: number, path: string) => done(id, () => unlinkSync(at(path))));
  server.on('FSTAT', (id: number) => server.status(id, STATUS_CODE.OP_UNSUPPORTED));
  server.on('READ', (id: number, handle: Buffer, offset: number, length: number) => {
    const { fd } = handles.get(handle.readUInt32BE()) as { fd: number };
    const buffer = Buffer.alloc(length);
    const read = readSync(fd, buffer, 0, length, offset);
    if (read === 0) server.status(id, STATUS_CODE.EOF);
    else server.data(id, buffer.subarray(0, read));
  });
  server.on('OPENDIR', (id: number, path: string) =>
    tried(id, () => server.handle(id, keep({ names: readdirSync(at(path)), path: at(path) }))),
  );
  server.on('READDIR', (id: number, handle: Buffer) => {
    const open = handles.get(handle.readUInt32BE()) as { names: string[]; path: string };
    const names = open.names.splice(0);
    if (names.length === 0) return server.status(id, STATUS_CODE.EOF);
    server.name(
      id,
      names.map((filename) => {
        const attrs = attributes(join(open.path, filename));
        const isFolder = statSync(join(open.path, filename)).isDirectory();
        return { filename, longname: `${isFolder ? 'd' : '-'}rw-r--r-- 1 0 0 ${attrs.size} ${filename}`, attrs };
      }),
    );
  });
  server.on('CLOSE', (id: number, handle: Buffer) => {
    const open = handles.get(handle.readUInt32BE());
    if (open && 'fd' in open) closeSync(open.fd);
    handles.delete(handle.readUInt32BE());
    sftp.status(id, STATUS_CODE.OK);
  });
  server.on('MKDIR', (id: number, path: string) => done(id, () => mkdirSync(at(path))));
  server.on('RENAME', (id: number, from: string, to: string) => done(id, () => renameSync(at(from), at(to))));
}

/** Of the keys that ssh2 makes, one in some hundreds is one that it does not read. */
function hostKey() {
  for (;;) {
    const { private: privateKey } = ssh2.utils.generateKeyPairSync('ed25519');
    const parsed = ssh2.utils.parseKey(privateKey);
    if (!(parsed instanceof Error)) return { privateKey, parsed };
  }
}
