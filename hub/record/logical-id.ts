/** A stored text's logical id, which stands beside the type in most texts. */
export function logicalId(text: string): string {
  const beside = /^\{"resourceType":"[A-Za-z]+","id":"([^"]+)"/.exec(text)?.[1];
  return beside ?? (JSON.parse(text) as { id: string }).id;
}
