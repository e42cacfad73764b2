/**
 * Takes in the bodies of requests. Of a large one it is asked first who sends it and whether there is room for it; then it
 * is looked over while it arrives. What is refused is read past, so that its sender comes to read the answer.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { largeBytes, RecordError } from '../record/index.ts';
import type { Authenticator } from './authenticate.ts';
import { BodyBounds } from './body-bounds.ts';
import { BodyRoom } from './body-room.ts';
import { mediaTypeOf } from './fhir-format.ts';

/** Bytes of large bodies in memory at a time. */
const roomBytes = 32 * 1024 * 1024;
/** Where large bodies are taken; what comes elsewhere are small forms. */
const large = /^\/(?:fhir|api|inbox|ccda|hl7)(?:\/|$)/;
/** Values in a body, and in one that defines or holds others. */
const [mostValues, mostOfHolders] = [100_000, 1_000_000];
const holders = ['Bundle', 'CodeSystem', 'ConceptMap', 'Parameters', 'ValueSet'];

/** Has bodies read into buffers. */
export function takeBodies(app: FastifyInstance, authenticator: Authenticator): void {
  const room = new BodyRoom(roomBytes);
  const held = new WeakMap<FastifyRequest, () => void>();
  app.addHook('onResponse', (request, _reply, done) => {
    held.get(request)?.();
    done();
  });
  app.addContentTypeParser('*', (request, payload, done) => {
    const said = Number(request.headers['content-length'] ?? Number.NaN);
    const most = request.routeOptions.bodyLimit;
    const body = new GrowingBody();
    let bounds: BodyBounds | undefined;
    let isOver = false;
    const end = (error: Error | null) => {
      if (isOver) return;
      isOver = true;
      payload.removeListener('data', take).removeListener('end', whole).removeListener('error', broken);
      if (!error) return done(null, body.whole());
      body.drop();
      held.get(request)?.();
      payload.on('error', () => {}).resume();
      done(error);
    };
    const begin = async () => {
      const { who } = await authenticator.caller(request);
      const leave = await room.take(who, Number.isNaN(said) ? most : said);
      const { socket } = request.raw;
      const release = () => {
        socket.removeListener('close', release);
        leave();
      };
      // The sender may have gone meanwhile.
      if (isOver || socket.destroyed) return release();
      held.set(request, release);
      socket.once('close', release);
      bounds = new BodyBounds(mostOf(request));
      for (const part of body.parts()) look(part);
      if (!Number.isNaN(said)) body.reserve(said);
      payload.resume();
    };
    const look = (part: Buffer) => {
      const much = bounds!.exceededBy(part);
      if (much !== undefined) throw tooMuch[much]();
    };
    const take = (chunk: Buffer) => {
      body.add(chunk);
      if (body.length > most) return end(tooLong());
      if (bounds) {
        try {
          look(chunk);
        } catch (error) {
          end(error as RecordError);
        }
        return;
      }
      if (body.length < largeBytes) return;
      if (!large.test(request.routeOptions.url ?? '')) return end(tooLong());
      payload.pause();
      begin().catch(end);
    };
    const whole = () => end(null);
    const broken = () => end(new RecordError(400, 'incomplete', 'The body ended before it was whole.'));
    if (said > most) return end(tooLong());
    payload.on('data', take).on('end', whole).on('error', broken);
  });
}

/** A body as it arrives; a large one in memory of its own. */
class GrowingBody {
  length = 0;
  #chunks: Buffer[] = [];
  #reserved: Buffer | undefined;

  add(chunk: Buffer): void {
    const at = this.length;
    this.length += chunk.length;
    if (!this.#reserved) this.#chunks.push(chunk);
    else if (this.length <= this.#reserved.length) chunk.copy(this.#reserved, at);
  }

  /** What came, where nothing is reserved yet. */
  parts(): readonly Buffer[] {
    return this.#chunks;
  }

  /** Where all that comes will lie: so it is in memory once. */
  reserve(bytes: number): void {
    this.#reserved = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const chunk of this.#chunks.splice(0)) at += chunk.copy(this.#reserved, at);
  }

  whole(): Buffer {
    if (this.#reserved) return this.#reserved.subarray(0, this.length);
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.length);
  }

  /** Gives the memory back, without waiting for the garbage collector. */
  drop(): void {
    this.#chunks = [];
    if (this.#reserved) (this.#reserved.buffer as ArrayBuffer).transfer(0);
  }
}

function mostOf(request: FastifyRequest): number {
  const { url = '' } = request.routeOptions;
  if (url.startsWith('/api')) return mostValues;
  const type = mediaTypeOf(request.headers['content-type'] ?? '');
  // Of a Binary's content nothing is counted.
  if (url.startsWith('/fhir') && type !== '' && !/json|xml/.test(type)) return Number.POSITIVE_INFINITY;
  const { type: stored } = request.params as { type?: string };
  return stored === undefined || holders.includes(stored) || url.includes('$') ? mostOfHolders : mostValues;
}

function tooLong(): RecordError {
  return new RecordError(413, 'too-long', 'The body is larger than this server takes; see its limits.');
}

const tooMuch = {
  values: () => {
    const text = `The body has more values in it than are taken: ${mostValues}, or ${mostOfHolders} where it defines or holds others.`;
    return new RecordError(413, 'too-costly', text);
  },
  depth: () => {
    const text = 'The body has more than 64 objects and arrays inside one another.';
    return new RecordError(400, 'structure', text);
  },
};
