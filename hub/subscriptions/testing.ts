/** An endpoint of a subscriber: keeps what it gets, and answers as it is told to. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../testing.ts';

export interface Got {
  method: string;
  path: string;
  headers: { [name: string]: string | string[] | undefined };
  body: string;
  json: Json;
}

export interface TestEndpoint {
  url: string;
  got: Got[];
  /** The status of the next answers; 200 at first. */
  answer: number;
  answerHeaders: Record<string, string>;
  answerBody: string;
  /** The path below which it lets everybody wait. */
  silent: string | undefined;
  /** The numbers of the events it was told, in the order in which they came. */
  numbers(): number[];
  close(): Promise<void>;
}

export async function testEndpoint(): Promise<TestEndpoint> {
  const got: Got[] = [];
  const endpoint: TestEndpoint = {
    url: '',
    got,
    answer: 200,
    answerHeaders: {},
    answerBody: '',
    silent: undefined,
    numbers: () => got.filter(({ json }) => json).flatMap(({ json }) => numbersIn(json)),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { method = '', url: path = '', headers } = request;
    if (path === endpoint.silent) return;
    if (endpoint.answer < 300)
      got.push({ method, path, headers, body, json: body.startsWith('{') ? JSON.parse(body) : undefined });
    response.writeHead(endpoint.answer, endpoint.answerHeaders).end(endpoint.answerBody);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return endpoint;
}

/** The status of a notification, by the names of its parameters; `events`: their numbers and foci. */
export function statusIn(bundle: Json): Json {
  const [first] = bundle.entry;
  const status: Json = { events: [] };
  for (const { name, part, ...value } of first.resource.parameter) {
    if (name !== 'notification-event') status[name] = Object.values(value)[0];
    else {
      const parts = Object.fromEntries(
        part.map((one: Json) => [one.name, one.valueString ?? one.valueReference?.reference]),
      );
      status.events.push({ number: Number(parts['event-number']), focus: parts.focus });
    }
  }
  return status;
}

function numbersIn(bundle: Json): number[] {
  return bundle.resourceType === 'Bundle' ? statusIn(bundle).events.map(({ number }: Json) => number) : [];
}
