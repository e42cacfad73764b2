/** What a table says of a word that a document holds; nothing of words that every object inherits something under. */
export function own<T>(table: Readonly<Record<string, T>> | undefined, word: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
}
