/** Documents to organisations that have no interface: by Direct mail, from the record to openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesIn } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { Direct } from '../mail/index.ts';
import { type TestMailServer, testMailServer } from '../mail/testing.ts';
import { newId } from '../record/index.ts';
import { sites, type TestOutbox, testOutbox } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-mail-route-'));
const at = (name: string) => join(folder, name);
const xml = '<?xml version="1.0"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Ä</title></ClinicalDocument>';
let test: TestDatabase;
let outbox: TestOutbox;
let mails: TestMailServer;

beforeAll(async () => {
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=direct'];
  const names = 'subjectAltName=email:hub@direct.example,email:dr@direct.example';
  execFileSync('openssl', [...made, '-addext', names, '-keyout', at('key.pem'), '-out', at('own.pem')], {
    stdio: 'pipe',
  });
  [test, mails] = await Promise.all([testDatabase(), testMailServer()]);
  const own = {
    directAddress: 'hub@direct.example',
    directCertificate: at('own.pem'),
    directKey: at('key.pem'),
    directPort: undefined,
  };
  outbox = await testOutbox(test.database, undefined, undefined, {
    direct: new Direct(mails.mailer(), own, async () => undefined),
  });
});
afterAll(async () => {
  await outbox?.stop();
  await Promise.all([test?.drop(), mails?.close()]);
  rmSync(folder, { recursive: true });
});

/** A human whom practice and laboratory know, and a C-CDA of the laboratory about them. */
async function stateDocument(): Promise<void> {
  const { lab } = await outbox.register('Ada', 'practice', 'lab');
  await outbox.say(sites.lab, {
    resourceType: 'DocumentReference',
    id: newId(),
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
    subject: { reference: `Patient/${lab}` },
    content: [{ attachment: { contentType: 'text/xml', data: Buffer.from(xml).toString('base64') } }],
  } as never);
}

/** How many accesses of a kind are in their record. */
async function recorded(action: string): Promise<number> {
  return (await accessesIn(test.database)).filter((access) => access.action === action).length;
}

it('a discharge summary goes by Direct, tried again until the mail server takes it, and is recorded as given', async () => {
  const direct = { address: 'dr@direct.example', certificate: at('own.pem') };
  await outbox.routes(sites.practice, [{ name: 'direct', to: { dialect: 'ccda', direct } }]);
  mails.refuse = 450;
  await outbox.sender().start();
  await stateDocument();
  await outbox.until('failed', 1);
  expect((await outbox.rows()).map(({ last_error }) => last_error)).toContain(
    'The mail server refused the address (450).',
  );
  mails.refuse = undefined;
  await outbox.until('delivered', 1);
  writeFileSync(at('mail.eml'), mails.got[0]!.raw);
  const openssl = (...words: string[]) => execFileSync('openssl', ['cms', ...words], { cwd: folder, stdio: 'pipe' });
  openssl('-decrypt', '-in', 'mail.eml', '-recip', 'own.pem', '-inkey', 'key.pem', '-out', 'signed.eml');
  openssl('-verify', '-in', 'signed.eml', '-CAfile', 'own.pem', '-out', 'content.eml');
  const [, zip] = /filename="xdm\.zip"\r?\n\r?\n([A-Za-z0-9+/=\r\n]+)--/.exec(readFileSync(at('content.eml'), 'utf8'))!;
  writeFileSync(at('xdm.zip'), Buffer.from(zip!, 'base64'));
  const document = execFileSync('unzip', ['-p', at('xdm.zip'), 'IHE_XDM/SUBSET01/DOC0001.XML']).toString();
  expect(document).toBe(xml);
  expect(await recorded('deliver')).toBe(1);
});
