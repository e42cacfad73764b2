/** The messages of a file of HL7 v2, C-CDA or FHIR, by what it begins with. Batches are cut while they stream. */
import type { Received } from '../inbox/index.ts';
import { bundlesOf } from './fhir-bundles.ts';
import { linesOf } from './lines.ts';
import type { Run } from './run.ts';
import { splitV2, UnreadableFile } from './split-v2.ts';

const linesAtOnce = 500;

/** @param longest bytes of one message @throws UnreadableFile */
export async function* fileMessages(
  run: Pick<Run, 'participant' | 'recognise'>,
  name: string,
  content: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<Received> {
  const chunks = content[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) throw new UnreadableFile('The file is empty.');
  const whole = joined(first.value, { [Symbol.asyncIterator]: () => chunks });
  const start = Buffer.from(first.value)
    .subarray(0, 200)
    .toString('latin1')
    .replace(/^[\xEF\xBB\xBF\s\x0b]+/, '');
  if (/^(MSH|FHS|BHS)/.test(start)) {
    for await (const message of splitV2(withoutMark(whole), longest)) yield run.recognise(message);
  } else if (/\.ndjson$/i.test(name)) {
    let lines: string[] = [];
    for await (const line of linesOf(whole, longest)) {
      if (line.trim() !== '') lines.push(line);
      if (lines.length < linesAtOnce) continue;
      yield* resourcesOf(run, lines);
      lines = [];
    }
    yield* resourcesOf(run, lines);
  } else {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of whole) {
      parts.push(chunk);
      length += chunk.length;
      if (length > longest) throw new UnreadableFile(`The file has more than the ${longest} bytes of a message.`);
    }
    yield run.recognise(Buffer.concat(parts));
  }
}

function resourcesOf(run: Pick<Run, 'participant'>, lines: readonly string[]): Received[] {
  const resources = lines.map((text) => {
    try {
      return { text, resource: JSON.parse(text) };
    } catch {
      throw new UnreadableFile('A line of the file is no JSON.');
    }
  });
  return bundlesOf(run.participant.key, undefined, resources, new Date());
}

async function* joined(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

/** Without what stands before the first segment. */
async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (!isFirst) {
      yield chunk;
      continue;
    }
    isFirst = false;
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    yield chunk.subarray(Math.max(0, text.search(/MSH|FHS|BHS/)));
  }
}
