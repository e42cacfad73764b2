/** The SMTP port by itself: its limits, and TLS. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { createTransport } from 'nodemailer';
import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { TestAuthority } from '../testing-certificates.ts';
import { MailRefusal } from './inbox.ts';
import { type DirectServer, type DirectServerOptions, startDirect } from './server.ts';
import { sendMail } from './testing.ts';

const to = 'hub@direct.hub.example';
const log = pino({ level: 'silent' });
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function started(
  take: (mail: Buffer) => Promise<void>,
  options: Partial<DirectServerOptions> = {},
): Promise<DirectServer> {
  const server = await startDirect(
    { host: '127.0.0.1', port: 0, address: to, tls: undefined, refused: async () => {}, ...options },
    { take },
    log,
  );
  closing.push(() => server.close());
  return server;
}

it('a mail is answered when it was taken, with what became of it', async () => {
  const got: string[] = [];
  const server = await started(async (mail) => {
    if (mail.includes('wrong')) throw new MailRefusal(554, 'It is wrong.');
    if (mail.includes('fault')) throw new Error('of ours');
    got.push(mail.toString());
  });
  const send = (text: string) => sendMail(server.port, [to.toUpperCase()], Buffer.from(`Subject: x\n\n${text}`));
  expect([await send('right'), await send('wrong'), await send('fault')]).toEqual([250, 554, 451]);
  expect(got).toEqual([expect.stringContaining('right')]);
});

it('a mail that is too long is refused, and one for which there is no room is asked to come again', async () => {
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  const server = await started(() => held, { mailBytes: 10_000 });
  const mail = (bytes: number) => Buffer.from(`Subject: x\n\n${'a\n'.repeat(bytes / 2)}`);
  expect(await sendMail(server.port, to, mail(20_000))).toBe(552);
  const first = [1, 2, 3, 4].map(() => sendMail(server.port, to, mail(6_000)));
  while ((await sendMail(server.port, to, mail(6_000))) !== 452) await new Promise((resolve) => setImmediate(resolve));
  go();
  expect(await Promise.all(first)).toEqual([250, 250, 250, 250]);
  expect(await sendMail(server.port, to, mail(6_000))).toBe(250);
});

it('whoever is too slow with a mail loses the connection', async () => {
  const server = await started(async () => {}, { mailMs: 200 });
  const socket = createConnection(server.port, '127.0.0.1');
  const said = async (text: string) => {
    socket.write(text);
    await once(socket, 'data');
  };
  await once(socket, 'data');
  for (const line of ['EHLO x', 'MAIL FROM:<a@b.example>', `RCPT TO:<${to}>`, 'DATA']) await said(`${line}\r\n`);
  const timer = setInterval(() => socket.write('a'), 20);
  socket.on('error', () => {});
  await once(socket, 'close');
  clearInterval(timer);
});

it('STARTTLS has the certificate of the moment', async () => {
  const authorities = [new TestAuthority(), new TestAuthority()] as const;
  for (const one of authorities) closing.push(() => one.remove());
  const context = (authority: TestAuthority) => {
    const { certificate, key } = authority.issue('localhost');
    return { cert: readFileSync(certificate), key: readFileSync(key) };
  };
  const server = await started(async () => {}, { tls: context(authorities[0]) });
  const sent = async ({ certificate }: TestAuthority) => {
    const tls = { ca: readFileSync(certificate), servername: 'localhost' };
    const transport = createTransport({ host: '127.0.0.1', port: server.port, requireTLS: true, tls });
    return transport.sendMail({ envelope: { from: 'a@b.example', to }, raw: 'Subject: x\n\nx' }).then(
      () => true,
      () => false,
    );
  };
  expect([await sent(authorities[0]), await sent(authorities[1])]).toEqual([true, false]);
  server.setSecureContext(context(authorities[1]));
  expect([await sent(authorities[0]), await sent(authorities[1])]).toEqual([false, true]);
});
