/**
 * Takes in the bodies of requests. Of a large one it is asked first who sends it and whether there is room for it; then it
 * is looked over while it arrives. What is refused is read past, so that its sender comes to read the answer.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { giveBack, largeBytes, RecordError } from '../record/index.ts';
import type { Authenticator } from './authenticate.ts';
import { BodyBounds, mostOfHolders, mostValues, tooMuch } from './body-bounds.ts';
import { BodyRoom } from './body-room.ts';
import { mediaTypeOf } from './fhir-format.ts';
import { passOver } from './pass-over.ts';

/** Bytes of large bodies in memory at a time. */
const roomBytes = 32 * 1024 * 1024;
/** Where large bodies are taken; what comes elsewhere are small forms. */
const large = /^\/(?:fhir|api|inbox|ccda|hl7)(?:\/|$)/;
/** Entries of a Bundle that comes as a message, and where else a body has a list; as who reads one has it. */
const mostEntries = 100_000;
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
      passOver(payload);
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
      bounds = boundsOf(request);
      for (const part of body.parts()) look(part);
      if (!Number.isNaN(said)) body.reserve(said);
      payload.resume();
    };
    const look = (part: Buffer) => {
      const much = bounds!.exceededBy(part);
      if (much !== undefined) throw tooMuch(much, mostEntries);
    };
    const take = (chunk: Buffer) => {
      body.add(chunk);
      if (body.length > most) return end(tooLong());
      if (bounds) {
        try {
          look(chunk);
        } catch (error) {
          return end(error as RecordError);
        }
        return body.settle(chunk);
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

  /** Of what came last, which was looked at. */
  settle(chunk: Buffer): void {
    if (this.#reserved) giveBack(chunk);
  }

  /** What came, where nothing is reserved yet. */
  parts(): readonly Buffer[] {
    return this.#chunks;
  }

  /** Where all that comes will lie: so it is in memory once. */
  reserve(bytes: number): void {
    this.#reserved = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const chunk of this.#chunks.splice(0)) {
      at += chunk.copy(this.#reserved, at);
      giveBack(chunk);
    }
  }

  whole(): Buffer {
    if (this.#reserved) return this.#reserved.subarray(0, this.length);
    if (this.#chunks.length === 1) return this.#chunks[0]!;
    const whole = Buffer.concat(this.#chunks, this.length);
    if (whole.length > largeBytes) this.drop();
    return whole;
  }

  drop(): void {
    for (const chunk of this.#chunks.splice(0)) giveBack(chunk);
    if (this.#reserved) giveBack(this.#reserved);
  }
}

function boundsOf(request: FastifyRequest): BodyBounds {
  const { url = '' } = request.routeOptions;
  return new BodyBounds(mostOf(request, url), url.startsWith('/inbox') ? mostEntries : undefined);
}

function mostOf(request: FastifyRequest, url: string): number {
  if (url.startsWith('/api')) return mostValues;
  const type = mediaTypeOf(request.headers['content-type'] ?? '');
  // Of a Binary's content nothing is counted.
  if (url.startsWith('/fhir') && type !== '' && !/json|xml/.test(type)) return Number.POSITIVE_INFINITY;
  const { type: stored } = request.params as { type?: string };
  return stored === undefined || holders.includes(stored) ? mostOfHolders : mostValues;
}

function tooLong(): RecordError {
  return new RecordError(413, 'too-long', 'The body is larger than this server takes; see its limits.');
}
