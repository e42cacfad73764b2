/** What others than us wrote: openssl signs and encrypts, the hub opens. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityOf } from './mime.ts';
import { openMail } from './smime-open.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-smime-'));
const at = (name: string) => join(folder, name);
const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe', cwd: folder });
const content = 'Content-Type: text/plain\r\n\r\nÄnn is well.\r\n';
const own = () => ({ certificates: readFileSync(at('hub.pem'), 'utf8'), key: readFileSync(at('rsa.key'), 'utf8') });

/** A certificate of its own; all with RSA have one key, which takes time to make. */
function issue(name: string, key: string): void {
  openssl('req', '-x509', '-new', '-key', key, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
}

beforeAll(() => {
  openssl('genrsa', '-out', 'rsa.key', '2048');
  openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', 'ec.key');
  for (const name of ['hub', 'other', 'rsa']) issue(name, 'rsa.key');
  issue('ec', 'ec.key');
  writeFileSync(at('content'), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

function sign(signer: string, ...words: string[]): string {
  openssl(
    'cms',
    '-sign',
    '-in',
    'content',
    '-signer',
    `${signer}.pem`,
    '-inkey',
    `${signer === 'ec' ? 'ec' : 'rsa'}.key`,
    '-out',
    'signed',
    ...words,
  );
  return 'signed';
}

function encrypt(name: string, ...words: string[]): Buffer {
  const to = words.some((word) => word.endsWith('.pem')) ? [] : ['hub.pem'];
  openssl('cms', '-encrypt', '-in', name, '-out', 'mail', ...words, ...to);
  return readFileSync(at('mail'));
}

const opened = (mail: Buffer) => openMail(entityOf(mail), own());

describe('what is signed and encrypted is opened', () => {
  it.each([
    ['RSA, beside the content', 'rsa', [], ['-aes-256-cbc']],
    ['RSA, around the content', 'rsa', ['-nodetach'], ['-aes-128-cbc']],
    ['RSA, streamed in pieces', 'rsa', ['-nodetach', '-stream'], ['-aes-256-cbc', '-stream']],
    ['RSA with PSS and SHA-512', 'rsa', ['-md', 'sha512', '-keyopt', 'rsa_padding_mode:pss'], ['-aes-256-cbc']],
    [
      'ECDSA, key encrypted by OAEP',
      'ec',
      [],
      ['-aes-256-cbc', '-recip', 'hub.pem', '-keyopt', 'rsa_padding_mode:oaep'],
    ],
    ['by key identifiers', 'rsa', ['-keyid'], ['-aes-256-cbc', '-keyid']],
    ['without attributes', 'rsa', ['-noattr'], ['-aes-256-cbc']],
    ['for several', 'rsa', [], ['-aes-256-cbc', 'other.pem', 'hub.pem']],
  ] as [string, string, string[], string[]][])('%s', async (_, signer, signing, encrypting) => {
    const { content: found, signers } = await opened(encrypt(sign(signer, ...signing), ...encrypting));
    expect(found.toString()).toBe(content);
    expect(signers.map(({ subject }) => subject)).toEqual([`CN=${signer}`]);
  });
});

describe('what is not is told alike', () => {
  const unopened = /cannot be decrypted .* or its signature does not hold/;
  it.each([
    ['for another', () => encrypt(sign('rsa'), '-aes-256-cbc', 'other.pem')],
    ['not signed', () => encrypt('content', '-aes-256-cbc')],
    ['signed with SHA-1', () => encrypt(sign('rsa', '-md', 'sha1'), '-aes-256-cbc')],
    ['encrypted by 3DES', () => encrypt(sign('rsa'), '-des3')],
    [
      'changed below the signature',
      () => {
        sign('rsa');
        writeFileSync(at('signed'), readFileSync(at('signed'), 'latin1').replace('is well', 'is sick'), 'latin1');
        return encrypt('signed', '-aes-256-cbc');
      },
    ],
    [
      'changed below the encryption',
      () => {
        const mail = encrypt(sign('rsa'), '-aes-256-cbc').toString();
        const [headers, body] = mail.split('\n\n') as [string, string];
        const bytes = Buffer.from(body, 'base64');
        bytes[bytes.length - 40]! ^= 1;
        return Buffer.from(`${headers}\n\n${bytes.toString('base64')}\n`);
      },
    ],
    ['no CMS', () => Buffer.from('Content-Type: application/pkcs7-mime\n\nAAAA')],
  ] as [string, () => Buffer][])('%s', async (_, make) => {
    await expect(opened(make())).rejects.toThrow(unopened);
  });

  it('without the certificate of the signer', async () => {
    await expect(opened(encrypt(sign('rsa', '-nocerts'), '-aes-256-cbc'))).rejects.toThrow(unopened);
  });
});

it('what is not encrypted is told so', async () => {
  sign('rsa');
  await expect(opened(readFileSync(at('signed')))).rejects.toThrow(/Only encrypted mail/);
});
