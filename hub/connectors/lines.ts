/** Lines of a text while its bytes arrive. */
import { UnreadableFile } from './split-v2.ts';

/** @throws UnreadableFile where a line has more than `longest` bytes, or is not in UTF-8 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const read = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UnreadableFile('The text is not in UTF-8.');
    }
  };
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + read(chunk)).split('\n');
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > longest) throw new UnreadableFile(`A line has more than ${longest} characters.`);
  }
  rest += read();
  if (rest !== '') yield rest;
}
