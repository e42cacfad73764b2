/** That all exchanges are secured by TLS 1.2 or newer: asked of a hub that has a certificate, once for all suites. */
import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { TestAuthority } from '../../hub/testing-certificates.ts';
import { tlsClient } from '../../hub/testing-https.ts';
import { startAskedHub } from './hub.ts';
import type { Check } from './rows.ts';

let asked: Promise<void> | undefined;

/** @param rows those that ask for it */
export function secured(...rows: (number | string)[]): Check<unknown> {
  return {
    name: 'a hub with a certificate speaks TLS 1.2 or newer, and nothing else',
    rows,
    run: () => {
      asked ??= ask();
      return asked;
    },
  };
}

async function ask(): Promise<void> {
  const authority = new TestAuthority();
  const own = authority.issue('hub');
  const client = tlsClient(authority);
  const hub = await startAskedHub({ tlsCertificate: own.certificate, tlsKey: own.key });
  try {
    const port = Number(new URL(hub.url).port);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      assert.equal(await spoken(port, { minVersion: version, maxVersion: version }), version);
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    assert.equal(await spoken(port, old), undefined);
    assert.equal(await plainAnswer(port), '');
    const told = (await (await client.fetch(`${hub.url}/fhir/.well-known/smart-configuration`)).json()) as object;
    const addresses = Object.entries(told).filter(([name]) => /_(?:endpoint|uri)$|^issuer$/.test(name));
    assert.ok(addresses.length >= 6);
    for (const [name, address] of addresses) assert.ok(String(address).startsWith('https://'), name);
    assert.equal((await client.fetch(`${hub.url}/fhir/metadata`)).status, 200);
    assert.equal((await client.fetch(`${hub.url}/fhir/Patient`)).status, 401);
    assert.equal((await client.fetch(`${hub.url}/oauth/token`, { method: 'POST' })).status, 400);
  } finally {
    client.close();
    await hub.stop();
    authority.remove();
  }
}

/** The version that is agreed on; undefined where there is none. */
function spoken(port: number, versions: ConnectionOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...versions }, () => {
      resolve(socket.getProtocol() ?? undefined);
      socket.destroy();
    });
    socket.once('error', () => resolve(undefined));
  });
}

/** What comes back to a request in the clear, until the connection ends. */
function plainAnswer(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    socket.write('GET /fhir/metadata HTTP/1.1\r\nhost: hub\r\n\r\n');
  });
}
