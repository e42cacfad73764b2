/**
 * Receivers that misbehave, each in its own way, all at the same time: each ends in the right state, is seen and told of
 * once, and gets everything under the same control id once it behaves.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { encodeFrame, isParseError, type Message, MllpDecoder, parseMessage } from '@causeway/hl7v2';
import pino from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { TestAuthority } from '../testing-certificates.ts';
import { type Endpoint, type EndpointTls, routesTo } from '../trust/index.ts';
import { sites, type TestOutbox, testOutbox } from './testing.ts';

const soon = { timeout: 40_000, interval: 50 };
const answerMs = 400;
const asked = 2_000;

let test: TestDatabase;
let outbox: TestOutbox;
let trusted: TestAuthority;
let stranger: TestAuthority;
let logged: { level: number; msg: string; destination?: string }[];
const closing: (() => void)[] = [];
/** What makes the receivers well whose illness is not how they answer. */
const mending: (() => unknown)[] = [];
/** What each receiver was sent, by its key: when, and under which control id. */
const got = new Map<string, { at: number; controlId: string }[]>();
let healed = false;
/** The certificate of those that are well. */
let well: { cert: Buffer; key: Buffer };

beforeAll(async () => {
  test = await testDatabase();
  logged = [];
  outbox = await testOutbox(test.database, pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }));
  [trusted, stranger] = [new TestAuthority('Trusted'), new TestAuthority('Stranger')];
});
afterAll(async () => {
  await outbox.stop();
  for (const close of closing) close();
  trusted.remove();
  stranger.remove();
  await test.drop();
});

const accepting = (message: Message, code: 'AA' | 'AE' | 'AR' | 'CE' | 'CR' | 'CA' = 'AA', to = message.controlId) =>
  `MSH|^~\\&|R|R|H|H|20260101000000||ACK|A1|P|2.5.1\rMSA|${code}|${to}${code === 'AA' ? '' : '|not taken'}\r`;
const framed = (text: string) => encodeFrame(Buffer.from(text));

type Sick = (socket: Socket, message: Message) => void;

/** Takes messages over MLLP as it misbehaves, and after that as it should. */
async function mllp(key: string, sick: Sick, tls?: { certificate: string; key: string }): Promise<Endpoint> {
  const serve = (socket: Socket) => {
    closing.push(() => socket.destroy());
    const decoder = new MllpDecoder();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        // What comes by TLS to one that does not speak it is no frame, or by chance one that nobody can read.
        if (event.kind !== 'frame') continue;
        const message = parseMessage(event.content);
        if (isParseError(message)) continue;
        note(key, message.controlId ?? '');
        if (!healed) sick(socket, message);
        else if (message.get('MSH-15') === 'AL') {
          socket.write(framed(accepting(message, 'CA')));
          socket.write(framed(accepting(message)));
        } else socket.write(framed(accepting(message)));
      }
    });
  };
  const context = tls && { cert: readFileSync(tls.certificate), key: readFileSync(tls.key) };
  const server = context ? createTlsServer(context, serve) : createServer(serve);
  if ('setSecureContext' in server) mending.push(() => server.setSecureContext(well));
  return { dialect: 'hl7v2', host: '127.0.0.1', port: await listening(server) };
}

/** Takes transactions over HTTP, likewise. */
async function http(sick: RequestListener, key: string): Promise<Endpoint> {
  const server = createHttp((request, response) => {
    note(key, String(request.headers['x-request-id']));
    request.resume();
    request.on('end', () => {
      if (healed) response.end('{"resourceType":"Bundle","type":"transaction-response"}');
      else sick(request, response);
    });
  });
  closing.push(() => server.closeAllConnections());
  return { dialect: 'fhir', url: `http://127.0.0.1:${await listening(server)}/fhir` };
}

async function listening(server: Server | ReturnType<typeof createHttp>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function note(key: string, controlId: string): void {
  const one = { at: performance.now(), controlId };
  const before = got.get(key);
  if (before) before.push(one);
  else got.set(key, [one]);
}

const systemOf = (key: string) => `urn:bed:${key}`;

/** Hospitals that know one human, and receive there. */
async function known(endpoints: Record<string, Endpoint>): Promise<void> {
  const usual = outbox.participants.byKey(sites.hospital);
  for (const [key, to] of Object.entries(endpoints)) {
    await outbox.participants.put({ ...usual, key, name: key, identifierSystem: systemOf(key), routes: routesTo(to) });
    await outbox.say(key, human(systemOf(key)));
  }
}

const human = (system: string) =>
  ({
    resourceType: 'Patient',
    id: newId(),
    identifier: [{ system, value: 'Q-1' }],
    name: [{ family: 'Quillfeather', given: ['Ada'] }],
    birthDate: '1933-03-14',
    gender: 'female',
    telecom: [{ system: 'phone', value: '555-0133' }],
    address: [{ line: ['3 Heron Lane'], city: 'Sedgewick', postalCode: '04999' }],
  }) as never as { resourceType: string; id: string };

/** A result that the laboratory has of them. */
async function result(): Promise<void> {
  const patient = human('urn:bed:lab');
  await outbox.say(sites.lab, patient);
  await outbox.say(sites.lab, {
    resourceType: 'DiagnosticReport',
    id: newId(),
    status: 'final',
    identifier: [{ system: 'urn:causeway:authority:ellery-lab:LIS', value: 'F-1' }],
    code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
    subject: { reference: `Patient/${patient.id}` },
  } as never);
}

const states = async (key: string) =>
  (await outbox.rows()).filter(({ destination }) => destination === key).map(({ state }) => state);

/** How often the log has something of each destination. */
function times(msg: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const one of logged) if (one.msg === msg) found[one.destination!] = (found[one.destination!] ?? 0) + 1;
  return found;
}

const onceEach = (keys: string[]) => Object.fromEntries(keys.map((key) => [key, 1]));

const tlsOf = (more: EndpointTls = {}): EndpointTls => ({ ca: trusted.certificate, ...more });

it('ends each in the right state, tells of it once, and once when it is back; nothing is lost and control ids stay', async () => {
  const enhanced = (endpoint: Endpoint) => ({ ...endpoint, acknowledgement: 'enhanced' }) as Endpoint;
  const secure = (endpoint: Endpoint, tls: EndpointTls) => ({ ...endpoint, tls }) as Endpoint;
  const refusing =
    (code: 'AE' | 'AR' | 'CE' | 'CR'): Sick =>
    (socket, message) =>
      void socket.write(framed(accepting(message, code)));
  const status =
    (code: number, headers: Record<string, string> = {}): RequestListener =>
    (_, response) =>
      void response.writeHead(code, headers).end('{}');
  const good = trusted.issue('receiver');
  well = { cert: readFileSync(good.certificate), key: readFileSync(good.key) };
  const expired = trusted.issue('expired', undefined, undefined, -1);
  const plain = mllp('no-tls', () => {});
  mending.push(async () => outbox.endpoint('no-tls', await plain));
  const ofAnother = mllp('certificate-of-another', () => {}, good);
  mending.push(async () => outbox.endpoint('certificate-of-another', secure(await ofAnother, tlsOf())));

  // Not reached: down, and tried again until it works.
  const down: Record<string, [Promise<Endpoint> | Endpoint, RegExp]> = {
    'never-answers': [mllp('never-answers', () => {}), /No acknowledgement came/],
    'answers-another': [
      mllp('answers-another', (socket, message) => void socket.write(framed(accepting(message, 'AA', 'OTHER')))),
      /No acknowledgement came/,
    ],
    'cuts-off': [
      mllp('cuts-off', (socket, message) => {
        socket.write(framed(accepting(message)).subarray(0, 40));
        socket.end();
      }),
      /closed before an answer/,
    ],
    resets: [mllp('resets', (socket) => void socket.resetAndDestroy()), /ECONNRESET/],
    'says-garbage': [
      mllp('says-garbage', (socket) => {
        socket.write(Buffer.from([0, 1, 2, 255, 254]));
        socket.write(framed('neither a message nor an answer'));
      }),
      /No acknowledgement came/,
    ],
    'never-ends': [
      mllp('never-ends', (socket) => {
        socket.write('\v');
        const more = () => {
          if (socket.writable) socket.write('x'.repeat(65_536), more);
        };
        more();
      }),
      /longer than 1 MiB|No acknowledgement came/,
    ],
    'certificate-expired': [
      mllp('certificate-expired', () => {}, expired).then((to) => secure(to, tlsOf())),
      /CERT_HAS_EXPIRED/,
    ],
    'certificate-of-another': [
      ofAnother.then((to) => secure(to, tlsOf({ serverName: 'elsewhere.example' }))),
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
    'authority-unknown': [
      mllp('authority-unknown', () => {}, stranger.issue('receiver')).then((to) => secure(to, tlsOf())),
      /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/,
    ],
    'no-tls': [plain.then((to) => secure(to, tlsOf())), /no connection in time/],
    'http-500': [http(status(500), 'http-500'), /Answered 500/],
    'http-429': [http(status(429, { 'retry-after': String(asked / 1_000) }), 'http-429'), /Answered 429/],
    'http-silent': [http(() => {}, 'http-silent'), /no answer in time/],
    'http-cuts-off': [
      http((_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{');
        response.destroy();
      }, 'http-cuts-off'),
      /The connection failed/,
    ],
  };
  // Read, and not taken: given up, and no fault of the way there.
  const refused: Record<string, [Promise<Endpoint> | Endpoint, RegExp]> = {
    'says-ae': [mllp('says-ae', refusing('AE')), /Acknowledged with AE: not taken/],
    'says-ar': [mllp('says-ar', refusing('AR')), /Acknowledged with AR: not taken/],
    'says-ce': [mllp('says-ce', refusing('CE')).then(enhanced), /Acknowledged with CE: not taken/],
    'says-cr': [mllp('says-cr', refusing('CR')).then(enhanced), /Acknowledged with CR: not taken/],
    'http-422': [http(status(422), 'http-422'), /Answered 422/],
  };
  // Comes round by itself.
  const late = mllp('answers-late', (socket, message) => {
    setTimeout(() => socket.write(framed(accepting(message))), answerMs * 1.5);
  });

  const all: Record<string, Endpoint> = { 'answers-late': await late };
  for (const [key, [endpoint]] of Object.entries({ ...down, ...refused })) all[key] = await endpoint;
  await known(all);
  await outbox.sender(50, { answerMs, refusals: 3, longestRetryMs: asked }).start();
  await result();

  await vi.waitFor(
    async () => expect((await outbox.deliveries.status()).destinationsDown.length).toBe(Object.keys(down).length),
    soon,
  );
  await outbox.until('dead', Object.keys(refused).length);
  const { destinationsDown } = await outbox.deliveries.status();
  for (const { key, reason } of destinationsDown)
    expect([key, reason]).toEqual([key, expect.stringMatching(down[key]![1])]);
  const dead = (await outbox.rows()).filter(({ state }) => state === 'dead');
  for (const { destination, last_error } of dead)
    expect([destination, last_error]).toEqual([destination, expect.stringMatching(refused[destination]![1])]);
  await vi.waitFor(async () => expect(await states('answers-late')).toEqual(['delivered']), soon);
  await vi.waitFor(() => expect(got.get('http-429')!.length).toBeGreaterThan(2), soon);
  expect(times('a destination takes no messages')).toEqual(onceEach(Object.keys(down)));
  expect(times('a delivery was given up')).toEqual(onceEach(Object.keys(refused)));
  expect(times('a destination takes messages again')).toEqual({});

  healed = true;
  for (const mend of mending) await mend();
  for (const { destination, id } of dead)
    expect([destination, await outbox.deliveries.replay(id)]).toEqual([destination, 1]);
  await outbox.until('delivered', Object.keys(all).length);
  await vi.waitFor(
    () => expect(times('a destination takes messages again')).toEqual(onceEach(Object.keys(down))),
    soon,
  );
  expect(times('a destination takes no messages')).toEqual(onceEach(Object.keys(down)));
  expect((await outbox.deliveries.status()).destinationsDown).toEqual([]);
  for (const [key, some] of got) {
    const ids = new Set(some.map(({ controlId }) => controlId).filter(Boolean));
    expect([key, ids.size]).toEqual([key, 1]);
  }
  // One that says how long to wait is left alone for as long.
  const [first, second] = got.get('http-429')!;
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(asked * 0.95);
}, 120_000);
