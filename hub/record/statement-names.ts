/** Names for statements whose texts are made for requests: those of one text are prepared once a connection. */
import { hash64 } from './keys.ts';

/** There is an end to how many shapes of statements are remembered. */
const remembered = 400;
const names = new Map<string, string>();

/** The name of a statement; undefined where too many others have one. */
export function statementName(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < remembered) {
    name = `made_${BigInt.asUintN(64, hash64(text)).toString(36)}`;
    names.set(text, name);
  }
  return name;
}

/** A statement with its name, where it has one. */
export function named(text: string, values: unknown[]): { name?: string; text: string; values: unknown[] } {
  const name = statementName(text);
  return name === undefined ? { text, values } : { name, text, values };
}
