/** An organisation in words: its name, or its key made readable where the hub tells only that. */
export function organisationName({ source, sourceName }: { source: string; sourceName?: string | null }): string {
  if (sourceName) return sourceName;
  const words = source.replaceAll('-', ' ');
  return words ? words[0]!.toUpperCase() + words.slice(1) : 'Source not stated';
}
