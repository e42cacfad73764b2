/** What is sent by Direct, read by others than us: openssl and unzip. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Direct, directMessage } from './direct.ts';
import { type TestMailServer, testMailServer } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-direct-'));
const at = (name: string) => join(folder, name);
const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe', cwd: folder });
const document = {
  id: '0d3c9c1e-7a57-4d1c-8f2e-2b9a3c4d5e6f',
  title: 'Discharge <Summary>',
  bytes: Buffer.from('<ClinicalDocument>Ann Dow</ClinicalDocument>'),
  mediaType: 'text/xml',
  created: new Date('2026-02-03T04:05:06Z'),
};
const mail = { id: '5f0c1d2e-3b4a-4958-8776-655443322110', created: new Date('2026-02-03T04:05:07Z'), document };
let server: TestMailServer;

/** A certificate for an address or domain, of a key that may be another's too. */
function issue(name: string, alternative: string, key = name): void {
  if (key === name) openssl('genrsa', '-out', `${name}.key`, '2048');
  writeFileSync(at(`${name}.ext`), `subjectAltName=${alternative}\n`);
  openssl('req', '-new', '-key', `${key}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed);
}

beforeAll(async () => {
  server = await testMailServer();
  const ca = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Anchor', '-days', '2'];
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...ca);
  issue('hub', 'email:hub@direct.hub.example');
  issue('practice', 'DNS:direct.practice.example');
  issue('other', 'email:somebody@direct.practice.example', 'practice');
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

const receiver = () => ({ address: 'dr@direct.practice.example', certificate: at('practice.pem') });

test('openssl decrypts and verifies it, unzip finds the document and what IHE XDM asks for beside it', async () => {
  const own = {
    directAddress: 'hub@direct.hub.example',
    directCertificate: at('hub.pem'),
    directKey: at('hub.key'),
    directPort: undefined,
  };
  await new Direct(server.mailer(), own, async () => undefined).send(mail, receiver());
  const [{ from, to, raw }] = server.got as [TestMailServer['got'][number]];
  expect([from, ...to]).toEqual(['hub@direct.hub.example', 'dr@direct.practice.example']);
  const [headers, body] = raw.split('\r\n\r\n') as [string, string];
  const sent = headers + Buffer.from(body, 'base64').toString('latin1');
  for (const word of ['Ann Dow', 'Discharge', 'xdm.zip', 'ClinicalDocument']) expect(sent).not.toContain(word);
  writeFileSync(at('mail.eml'), raw);
  openssl(
    'cms',
    '-decrypt',
    '-in',
    'mail.eml',
    '-recip',
    'practice.pem',
    '-inkey',
    'practice.key',
    '-out',
    'signed.eml',
  );
  openssl('cms', '-verify', '-in', 'signed.eml', '-CAfile', 'ca.pem', '-out', 'content.eml');
  const details = openssl('cms', '-cmsout', '-print', '-in', 'mail.eml').toString();
  expect(details).toContain('aes-256-cbc');
  const [, zip] = /filename="xdm\.zip"\r?\n\r?\n([A-Za-z0-9+/=\r\n]+)--/.exec(readFileSync(at('content.eml'), 'utf8'))!;
  writeFileSync(at('xdm.zip'), Buffer.from(zip!, 'base64'));
  const names = execFileSync('unzip', ['-Z1', at('xdm.zip')])
    .toString()
    .trim()
    .split('\n');
  expect(names.sort()).toEqual(
    ['IHE_XDM/SUBSET01/DOC0001.XML', 'IHE_XDM/SUBSET01/METADATA.XML', 'INDEX.HTM', 'README.TXT'].sort(),
  );
  const inZip = (name: string) => execFileSync('unzip', ['-p', at('xdm.zip'), name]);
  expect(inZip('IHE_XDM/SUBSET01/DOC0001.XML')).toEqual(document.bytes);
  const metadata = inZip('IHE_XDM/SUBSET01/METADATA.XML').toString();
  const digest = openssl('dgst', '-sha1', '-r', fileOf(document.bytes)).toString().split(' ')[0];
  expect(metadata).toContain(`<rim:Value>${digest}</rim:Value>`);
  expect(metadata).toContain('value="Discharge &lt;Summary&gt;"');
  expect(metadata).toContain('^^Internet^dr@direct.practice.example');
  expect(metadata).not.toContain('Dow');
});

function fileOf(bytes: Uint8Array): string {
  writeFileSync(at('document'), bytes);
  return 'document';
}

test('what is changed on its way is not verified', async () => {
  const message = await directMessage(mail, signer(), receiver().address, readFileSync(receiver().certificate, 'utf8'));
  writeFileSync(at('one.eml'), message);
  openssl(
    'cms',
    '-decrypt',
    '-in',
    'one.eml',
    '-recip',
    'practice.pem',
    '-inkey',
    'practice.key',
    '-out',
    'one.signed',
  );
  writeFileSync(
    at('one.signed'),
    readFileSync(at('one.signed'), 'utf8').replace('A clinical document', 'Another document'),
  );
  expect(() => openssl('cms', '-verify', '-in', 'one.signed', '-CAfile', 'ca.pem')).toThrow(/digest|Verification/i);
});

test('a certificate that is for another, not valid any more, or none, is not written to', async () => {
  const to = (certificate: string, address = receiver().address) => directMessage(mail, signer(), address, certificate);
  await expect(to(readFileSync(at('other.pem'), 'utf8'))).rejects.toThrow(/for another address/);
  await expect(to(readFileSync(at('practice.pem'), 'utf8'), 'dr@elsewhere.example')).rejects.toThrow(/another address/);
  await expect(to('nothing')).rejects.toThrow(/no certificate/);
});

function signer() {
  const from = 'hub@direct.hub.example';
  return { from, certificates: readFileSync(at('hub.pem'), 'utf8'), key: readFileSync(at('hub.key'), 'utf8') };
}
