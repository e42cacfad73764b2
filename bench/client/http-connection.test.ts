import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HttpConnection } from './http-connection.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers each request with these pieces, one packet each. */
async function answering(...pieces: string[]): Promise<HttpConnection> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('data', async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const connection = new HttpConnection(`http://127.0.0.1:${port}/fhir`, 'token');
  closing.push(() => {
    connection.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return connection;
}

test('an answer with a length, in pieces, twice over one connection', async () => {
  const connection = await answering('HTTP/1.1 200 OK\r\nContent-', 'Length: 5\r\n\r\nhe', 'llo');
  for (let i = 0; i < 2; i++) {
    const { status, body } = await connection.request('GET', '/Patient/1');
    expect([status, body.toString()]).toEqual([200, 'hello']);
  }
});

test('a chunked answer', async () => {
  const connection = await answering(
    'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r',
    '\n2\r\nlo\r\n0\r\n\r\n',
  );
  const { status, body } = await connection.request('POST', '', '{}');
  expect([status, body.toString()]).toEqual([201, 'hello']);
});

test('an answer without content', async () => {
  const connection = await answering('HTTP/1.1 204 No Content\r\n\r\n');
  expect((await connection.request('DELETE', '/Patient/1')).body).toHaveLength(0);
});

test('a server that is not there', async () => {
  await expect(new HttpConnection('http://127.0.0.1:1', undefined).request('GET', '/')).rejects.toThrow();
});
