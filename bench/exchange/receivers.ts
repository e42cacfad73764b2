/** Sites that receive: they note when they answered which result, and whether it came as it has to. */
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { acknowledge, encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';

/** What a receiver was sent. Each result is known by the number in its order, `BX-` and nine digits. */
export class Arrivals {
  /** When each result was answered for the first time, by its number. */
  readonly at = new Map<number, number>();
  repeated = 0;
  /** Not under the receiver's own number of the person, or before an earlier result of the same person. */
  misfiled = 0;
  disordered = 0;
  readonly #last = new Map<string, number>();
  readonly #personOf: (result: number) => string | undefined;

  /** @param personOf under which number the receiver keeps the person of a result */
  constructor(personOf: (result: number) => string | undefined) {
    this.#personOf = personOf;
  }

  note(text: string, filedUnder: string | undefined): void {
    const now = performance.now();
    const result = Number(/BX-(\d{9})/.exec(text)?.[1]);
    const person = this.#personOf(result);
    if (person === undefined || (filedUnder !== undefined && filedUnder !== person)) this.misfiled++;
    if (person === undefined) return;
    if (this.at.has(result)) {
      this.repeated++;
      return;
    }
    this.at.set(result, now);
    if ((this.#last.get(person) ?? -1) > result) this.disordered++;
    this.#last.set(person, result);
  }
}

export interface Receiver {
  port: number;
  close(): Promise<void>;
}

/** How a receiver over MLLP behaves: it answers, or reads and never answers. */
export type Manner = () => 'answers' | 'is silent';

/** Takes HL7 v2 over MLLP; the first number of PID-3 is what the message is filed under. */
export async function mllpReceiver(arrivals: Arrivals, manner: Manner = () => 'answers', port = 0): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    const decoder = new MllpDecoder();
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        const message = event.kind === 'frame' ? parseMessage(event.content) : undefined;
        if (!message || isParseError(message) || manner() === 'is silent') continue;
        const answer = acknowledge(message, { outcome: 'accept', time: new Date(), controlId: '1' });
        if (answer) socket.write(encodeFrame(answer.bytes));
        arrivals.note(`BX-${/BX-(\d{9})/.exec(message.toString())?.[1]}`, message.get('PID-3.1'));
      }
    });
  });
  return listening(server, port, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** Takes FHIR transactions; the first subject's identifier is what they are filed under. */
export async function fhirReceiver(arrivals: Arrivals): Promise<Receiver> {
  const server = createHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    response.end('{"resourceType":"Bundle","type":"transaction-response"}');
    const { entry } = JSON.parse(text) as { entry: { resource: { subject?: { identifier?: { value: string } } } }[] };
    arrivals.note(text, entry.map(({ resource }) => resource.subject?.identifier?.value).find(Boolean));
  });
  return listening(server, 0, () => server.closeAllConnections());
}

async function listening(server: Server | HttpServer, port: number, endAll: () => void): Promise<Receiver> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        endAll();
      }),
  };
}
