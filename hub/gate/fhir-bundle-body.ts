/**
 * The body of a batch or transaction: a small one is read as a text, a large one is cut into its entries as it arrives
 * (`BundleIntake`), so that it is never in memory whole. XML is read as a text whatever its size. One with too many entries
 * is refused before any of them is read.
 */
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { BundleIntake, isXml, largeBytes, mostBundleEntries, type ReadBundle, RecordError } from '../record/index.ts';
import { BodyBounds, tooMuch } from './body-bounds.ts';
import { bodyFormat, bodyText, type FhirParts } from './fhir-exchange.ts';
import { readLarge } from './large-bodies.ts';
import { passOver } from './pass-over.ts';

/** Up to so many bytes a body is read as one text, which is quicker. */
const wholeBytes = 4 * 1024 * 1024;
const partBytes = 16 * 1024;

/**
 * Reads a request's body, which is a stream, and hands what it is to `run`; a large one is to be had until that resolves.
 * @throws RecordError 400, 413, 415
 */
export async function withBundle<T>(
  request: FastifyRequest,
  who: string,
  base: string,
  { bundleBytes, spoolDirectory, largeBodies }: Pick<FhirParts, 'bundleBytes' | 'spoolDirectory' | 'largeBodies'>,
  run: (sent: string | ReadBundle) => Promise<T>,
): Promise<T> {
  const format = bodyFormat(request);
  const chunks = bounded(bundleChunks(request, bundleBytes));
  const first: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    first.push(chunk);
    length += chunk.length;
    if (length <= wholeBytes || isXml(format, first[0]!.toString('utf8', 0, 100))) continue;
    const intake = new BundleIntake(spoolDirectory);
    try {
      for (const one of first.splice(0)) await takeIn(intake, one);
      for await (const one of chunks) await takeIn(intake, one);
      return await run(intake.end(base));
    } finally {
      intake.close();
    }
  }
  const body = Buffer.concat(first);
  request.body = body;
  if (length > 0 && isXml(format, body.toString('utf8', 0, 100))) await readLarge(largeBodies, request, who, body);
  return run(bodyText(request));
}

/**
 * The chunks of a body, looked over where it is large: what has too many entries ends here. How many values there are in
 * each of them is not counted, for they are read one by one.
 * @throws RecordError 413, 400
 */
async function* bounded(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const bounds = new BodyBounds(Number.POSITIVE_INFINITY, mostBundleEntries);
  const first: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length < largeBytes) first.push(chunk);
    else {
      for (const part of [...first.splice(0), chunk]) {
        const much = bounds.exceededBy(part);
        if (much !== undefined) throw tooMuch(much, mostBundleEntries);
      }
    }
    yield chunk;
  }
}

/** Takes in bytes by parts that are worked on for few milliseconds: others have their turn between. */
async function takeIn(intake: BundleIntake, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += partBytes) {
    intake.write(bytes.subarray(at, at + partBytes));
    await setImmediate();
  }
}

/**
 * The chunks of a body that is a stream, none where there is no body.
 * @throws RecordError 413 where it has more than `most` bytes, 400 where it ends early
 */
export async function* bundleChunks(request: FastifyRequest, most: number): AsyncGenerator<Buffer> {
  const body = request.body as Readable | undefined;
  if (!body) return;
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLong(most);
  let length = 0;
  try {
    // Whoever stops reading early still answers over the connection.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > most) throw tooLong(most);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof RecordError) throw error;
    throw new RecordError(400, 'incomplete', 'The body ended before it was whole.');
  } finally {
    // What is still to come is passed over, so that the client comes to read the answer.
    passOver(body);
  }
}

function tooLong(most: number): RecordError {
  const text = `The body is larger than the ${most} bytes that this server takes; send it in parts.`;
  return new RecordError(413, 'too-long', text).with('connection', 'close');
}
