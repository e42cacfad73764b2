/**
 * What a screen's URL may carry after the question mark. Unknown parameters and wrong types are dropped: a URL can be
 * typed or sent by anyone.
 */

/** Keeps the named parameters that are non-empty text. */
export function textParams<K extends string>(...names: K[]) {
  return (search: Record<string, unknown>): { [P in K]?: string } => {
    const kept: { [P in K]?: string } = {};
    for (const name of names) {
      const value = search[name];
      if (typeof value === 'string' || typeof value === 'number') {
        const text = String(value).slice(0, 200);
        if (text !== '') kept[name] = text;
      }
    }
    return kept;
  };
}

/** Only a path of this site may be returned to after signing in: `//elsewhere` and `https:` are not. */
export function safeReturn(back: unknown): string | undefined {
  return typeof back === 'string' && /^\/(?![/\\])/.test(back) && !back.startsWith('/sign-in') ? back : undefined;
}
