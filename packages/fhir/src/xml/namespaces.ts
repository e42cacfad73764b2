/**
 * Namespaces in XML 1.0 (https://www.w3.org/TR/xml-names/), as far as FHIR needs them: what the declarations around an
 * element make of its name. The parser's own work on them costs a third of reading.
 */

/** What is declared at one element, and around it. */
export interface Scope {
  /** The default namespace; empty for none. */
  uri: string;
  /** The prefixes declared here. */
  own: ReadonlyMap<string, string> | undefined;
  outer: Scope | undefined;
}

/** Around the root. */
export const NOTHING_DECLARED: Scope = {
  uri: '',
  own: new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]),
  outer: undefined,
};

/** The scope of an element with these attributes. */
export function scopeOf(attributes: Record<string, string>, outer: Scope): Scope {
  let own: Map<string, string> | undefined;
  for (const name in attributes) {
    if (!name.startsWith('xmlns:')) continue;
    own ??= new Map();
    own.set(name.slice('xmlns:'.length), attributes[name]!);
  }
  if (own === undefined && attributes.xmlns === undefined) return outer;
  return { uri: attributes.xmlns ?? outer.uri, own, outer };
}

/** The namespace of an element's name, undefined for a prefix that is not declared. */
export function namespaceOf(name: string, scope: Scope): string | undefined {
  const colon = name.indexOf(':');
  if (colon < 0) return scope.uri;
  const prefix = name.slice(0, colon);
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const uri = at.own?.get(prefix);
    if (uri !== undefined) return uri;
  }
  return undefined;
}

/** A name without its prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
