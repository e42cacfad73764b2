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

/** @throws UnreadableFile at a line that is no resource, behind those before it */
function* resourcesOf(run: Pick<Run, 'participant'>, lines: readonly string[]): Generator<Received> {
  const resources = lines.map((text) => ({ text, resource: resourceIn(text) }));
  const wrong = resources.findIndex(({ resource }) => resource === undefined);
  const right = (wrong < 0 ? resources : resources.slice(0, wrong)).map(({ text, resource }) => ({
    text,
    resource: resource!,
  }));
  yield* bundlesOf(run.participant.key, undefined, right, new Date());
  if (wrong >= 0) throw new UnreadableFile('A line of the file is no resource.');
}

function resourceIn(text: string): { resourceType: string } | undefined {
  try {
    const resource = JSON.parse(text);
    return typeof resource?.resourceType === 'string' ? resource : undefined;
  } catch {
    return undefined;
  }
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
