/** JSON for people (`_pretty=true`, https://hl7.org/fhir/R4/http.html#general). */

/**
 * The text with each member and item on a line of its own, two blanks deeper than what holds it. Only white space
 * between tokens changes, so digits and order stay; a text that is not JSON comes out with other white space. Indents
 * end at 64 levels, so that the result cannot grow beyond bounds.
 */
export function prettyJson(text: string): string {
  let out = '';
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.trim() === '') continue;
    const first = token[0]!;
    if (first === '{' || first === '[') {
      if (token.length > 1) out += first + token.at(-1);
      else out += first + newLine(++depth);
    } else if (first === '}' || first === ']') {
      depth = Math.max(0, depth - 1);
      out += newLine(depth) + first;
    } else if (first === ',') out += first + newLine(depth);
    else out += first === ':' ? ': ' : token;
  }
  return out;
}

/** A string, an empty object or array, a mark, or a run of white space or of anything else. */
const TOKEN = /"(?:[^"\\]|\\.)*"?|\{\s*\}|\[\s*\]|[{}[\],:]|\s+|[^"{}[\],:\s]+/gs;

const INDENTS = Array.from({ length: 65 }, (_, depth) => `\n${'  '.repeat(depth)}`);

function newLine(depth: number): string {
  return INDENTS[Math.min(depth, 64)]!;
}
