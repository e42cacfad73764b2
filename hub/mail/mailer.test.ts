import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Mailer } from './mailer.ts';
import { type TestMailServer, testMailServer } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-mail-'));
const passwordFile = join(folder, 'password');
const mail = { to: 'ann@example.org', subject: 'There is something', text: 'Sign in.\n', messageId: '<1@hub.example>' };
let server: TestMailServer;
let plain: TestMailServer;

beforeAll(async () => {
  [server, plain] = await Promise.all([
    testMailServer('s3cret'),
    testMailServer(undefined, { disabledCommands: ['STARTTLS'] }),
  ]);
});
afterAll(async () => {
  await Promise.all([server?.close(), plain?.close()]);
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.got.length = 0;
  server.refuse = undefined;
  writeFileSync(passwordFile, 's3cret\n');
});

function mailer(more: object = {}): Mailer {
  return new Mailer({
    smtpHost: 'localhost',
    smtpPort: server.port,
    smtpTls: 'starttls',
    smtpCa: server.ca,
    smtpUser: 'hub',
    smtpPasswordFile: passwordFile,
    mailFrom: 'hub@hub.example',
    ...more,
  });
}

test('mail goes by TLS, signed in with the password of the file', async () => {
  await mailer().send(mail);
  const [got] = server.got;
  expect(got).toMatchObject({ from: 'hub@hub.example', to: ['ann@example.org'], isEncrypted: true, user: 'hub' });
  expect(got!.raw).toMatch(/^Subject: There is something\r$/m);
  expect(got!.raw).toMatch(/^Message-ID: <1@hub.example>\r$/m);
  expect(got!.raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
  expect(got!.raw).toMatch(/\r\n\r\nSign in\./);
});

test('a password that changes is read anew; a wrong one is told without it', async () => {
  const one = mailer();
  writeFileSync(passwordFile, 'other');
  await expect(one.send(mail)).rejects.toThrow(/does not let the hub sign in/);
  writeFileSync(passwordFile, 's3cret');
  await one.send(mail);
  expect(server.got.length).toBe(1);
});

test('nothing is sent where the certificate is not trusted, or no TLS is offered', async () => {
  await expect(mailer({ smtpCa: undefined }).send(mail)).rejects.toThrow(/certificate .* is not trusted/);
  const unencrypted = mailer({ smtpPort: plain.port, smtpUser: undefined, smtpPasswordFile: undefined });
  await expect(unencrypted.send(mail)).rejects.toThrow(/does not begin TLS/);
  expect([...server.got, ...plain.got]).toEqual([]);
});

test('without TLS where that is said', async () => {
  await mailer({ smtpPort: plain.port, smtpTls: 'none', smtpUser: undefined, smtpPasswordFile: undefined }).send(mail);
  expect(plain.got.splice(0)).toMatchObject([{ isEncrypted: false }]);
});

test.each([
  [450, false],
  [550, true],
])('what is refused with %i is told by the code, without the words of the server', async (code, isFinal) => {
  server.refuse = code;
  await expect(mailer().send(mail)).rejects.toMatchObject({
    message: `The mail server refused the address (${code}).`,
    isFinal,
  });
});

test('a server that is not there is told', async () => {
  await expect(mailer({ smtpPort: 1 }).send(mail)).rejects.toThrow(/was not reached: \w+/);
});
