import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signToken, tokenKey } from './secrets/index.ts';
import { startTestHub, type TestHub } from './testing.ts';
import { adt, oru } from './testing-messages.ts';
import { openMllp } from './testing-mllp.ts';

const secret = 'Zyxwvutsrq';

let hub: TestHub;
let child: ChildProcess;
let log = '';
let ports: { url: string; mllpPort: number };
beforeAll(async () => {
  // The hub goes on in a process whose whole output can be read.
  hub = await startTestHub();
  await hub.rest();
  const config = { ...hub.config, logLevel: 'trace', messageBytes: 64 * 1024 };
  child = spawn(process.execPath, [join(import.meta.dirname, 'soak', 'hub-process.ts'), JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr!.on('data', (chunk) => {
    log += chunk;
  });
  const [first] = await once(child.stdout!, 'data');
  ports = JSON.parse(String(first));
  child.stdout!.on('data', (chunk) => {
    log += chunk;
  });
});
afterAll(async () => {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  await hub.stop();
});

it('logs nothing of what messages, requests and failures hold, and ends for none of them', async () => {
  const person = {
    id: secret,
    family: secret,
    given: secret,
    birth: '19770707',
    sex: 'F',
    street: secret,
    phone: secret,
  };
  const client = await openMllp(ports.mllpPort);
  const messages = [
    adt('A04', person),
    adt('A04', person).slice(0, 120),
    adt('A04', person).replace('2.5.1', ''),
    oru(person, { order: secret, code: secret, value: secret }),
    `${adt('A08', person)}NTE|1||${secret.repeat(10_000)}\r`,
    secret,
  ];
  for (const message of messages) {
    client.send(message);
    await client.answer();
  }
  client.raw(secret.repeat(1_000));
  client.send(adt('A08', person));
  await client.answer();
  client.raw(`\x0b${secret}`);
  client.end();
  await client.closed;
  // What the record cannot take: the failure is logged, what failed is not.
  await hub.test.database.query(
    `ALTER TABLE index_string ADD CONSTRAINT refused CHECK (value !~ 'zyxwvutsrqx') NOT VALID`,
  );
  const token = await signToken(tokenKey(hub.config.dataDir), {
    subject: 'test',
    role: 'administrator',
    expiresInSeconds: 60,
  });
  const call = async (method: string, path: string, body?: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    return (await fetch(ports.url + path, { method, headers, body })).status;
  };
  const patient = (family: string) => JSON.stringify({ resourceType: 'Patient', name: [{ family }] });
  expect(await call('POST', '/fhir/Patient', patient(`${secret}x`))).toBe(500);
  expect(await call('POST', '/fhir/Patient', patient(secret))).toBe(201);
  expect(await call('POST', '/fhir/Patient', `{"${secret}`)).toBe(400);
  expect(await call('GET', `/fhir/Patient?name=${secret}`)).toBe(200);
  expect(await call('GET', `/fhir/Patient?${secret}=${secret}`)).toBe(400);
  expect(await call('POST', '/ccda', `<a>${secret}`)).toBe(422);
  expect(await call('GET', `/api/messages?q=${secret}%00`)).toBe(400);
  const failing = await openMllp(ports.mllpPort);
  failing.send(adt('A04', { ...person, id: '2', family: `${secret}x` }, { controlId: 'REFUSED' }));
  await failing.answer();
  failing.end();
  await expect
    .poll(
      async () =>
        (await hub.test.database.query(`SELECT error FROM message WHERE control_id = 'REFUSED'`)).rows[0]?.error,
      { timeout: 10_000 },
    )
    .toMatch(/23514/);
  // It is told of once the row says it.
  await expect.poll(() => log, { timeout: 10_000 }).toContain('could not be stored');
  expect(log.toLowerCase()).not.toContain(secret.toLowerCase());
  expect(child.exitCode).toBeNull();
});
