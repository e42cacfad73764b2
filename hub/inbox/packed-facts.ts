/**
 * The facts of a large message on their way from the thread that made them: as bytes, which travel in a moment, and are
 * read some at a time. Tens of thousands of objects would keep the thread that acknowledges for half a second.
 */
import { Pace } from '../pace.ts';
import type { ConvertedMessage, StatedFact } from './converted.ts';

/** What a thread answers: the facts of a large message are in `packed`, some in each. */
export interface ThreadAnswer extends ConvertedMessage {
  packed?: Uint8Array[];
}

const largeCharacters = 256 * 1024;
const packCharacters = 256 * 1024;

export function packFacts(conversion: ConvertedMessage): ThreadAnswer {
  const { facts } = conversion;
  if (facts.reduce((sum, { text }) => sum + text.length, 0) <= largeCharacters) return conversion;
  const packed: Uint8Array[] = [];
  let some: StatedFact[] = [];
  let characters = 0;
  for (const fact of facts) {
    some.push(fact);
    characters += fact.text.length;
    if (characters < packCharacters) continue;
    packed.push(Buffer.from(JSON.stringify(some)));
    some = [];
    characters = 0;
  }
  packed.push(Buffer.from(JSON.stringify(some)));
  return { ...conversion, facts: [], packed };
}

/** The conversion as it was before it travelled. */
export async function unpackFacts({ packed, ...conversion }: ThreadAnswer): Promise<ConvertedMessage> {
  if (packed === undefined) return conversion;
  const pace = new Pace();
  const facts: StatedFact[] = [];
  for (const bytes of packed) {
    if (pace.isDue) await pace.rest();
    const some: StatedFact[] = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    for (const fact of some) facts.push(fact);
  }
  return { ...conversion, facts };
}
