/** The system of a site that receives, over MLLP or as FHIR, and is down in several ways when it is told to be. It logs what it gets. */
import { createServer as createHttp, type ServerResponse } from 'node:http';
import { createServer as createTcp, type Server, type Socket } from 'node:net';
import { acknowledge, encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';

/** What it does when it is sent something; `fails` is a status 500, which only FHIR has. */
export type Manner = 'answers' | 'refuses connections' | 'is silent' | 'is slow' | 'fails';

/** As long as the hub waits for an answer. */
const slowMs = 30_000;
const attempts = 20;

/** One line of its log, written before it answers. */
export interface Line {
  /** The result, by the number in its order: `BX-` and nine digits. */
  result: number;
  filedUnder: string | undefined;
  /** MSH-10, or the Idempotency-Key. */
  id: string;
  /** On the clock of `performance.now()`. */
  at: number;
  /** Whether it took it, and said so. */
  answered: boolean;
}

export class SiteSystem {
  readonly lines: Line[] = [];
  readonly protocol: 'mllp' | 'http';
  #manner: Manner = 'answers';
  #port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Listens on a port that the system gives to no connection, so that it is free again after it was down. */
  static async open(protocol: 'mllp' | 'http'): Promise<SiteSystem> {
    for (let attempt = 1; ; attempt++) {
      const system = new SiteSystem(protocol);
      system.#port = 20_000 + Math.floor(Math.random() * 10_000);
      try {
        await system.#listen();
        return system;
      } catch (error) {
        if (attempt === attempts || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  private constructor(protocol: 'mllp' | 'http') {
    this.protocol = protocol;
    this.#server = protocol === 'mllp' ? createTcp((socket) => this.#mllp(socket)) : this.#http();
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  async become(manner: Manner): Promise<void> {
    if (this.#manner === 'refuses connections') await this.#listen();
    this.#manner = manner;
    // What it kept back while it was down is not answered any more.
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (manner !== 'is slow') for (const socket of this.#sockets) socket.destroy();
    if (manner === 'refuses connections') await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  async close(): Promise<void> {
    if (this.#manner !== 'refuses connections') await this.become('refuses connections');
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  #mllp(socket: Socket): void {
    const decoder = new MllpDecoder();
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        const message = event.kind === 'frame' ? parseMessage(event.content) : undefined;
        if (!message || isParseError(message)) continue;
        const line = this.#note(message.toString(), message.controlId!, message.get('PID-3.1'));
        const answer = acknowledge(message, { outcome: 'accept', time: new Date(), controlId: '1' })!;
        this.#answer(line, () => socket.writable && socket.write(encodeFrame(answer.bytes)));
      }
    });
  }

  #http(): Server {
    return createHttp(async (request, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const { entry } = JSON.parse(text) as { entry: { resource: { subject?: { identifier?: { value: string } } } }[] };
      const filedUnder = entry.map(({ resource }) => resource.subject?.identifier?.value).find(Boolean);
      const line = this.#note(text, String(request.headers['idempotency-key']), filedUnder);
      if (this.#manner === 'fails') response.writeHead(500).end();
      else this.#answer(line, () => response.end('{"resourceType":"Bundle","type":"transaction-response"}'));
    });
  }

  #note(text: string, id: string, filedUnder: string | undefined): Line {
    const result = Number(/BX-(\d{9})/.exec(text)?.[1]);
    const line = { result, filedUnder, id, at: performance.now(), answered: false };
    this.lines.push(line);
    return line;
  }

  #answer(line: Line, say: () => void): void {
    const answered = () => {
      line.answered = true;
      say();
    };
    if (this.#manner === 'answers') answered();
    if (this.#manner !== 'is slow') return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      answered();
    }, slowMs);
    this.#timers.add(timer);
  }
}
