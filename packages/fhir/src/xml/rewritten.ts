/**
 * A narrative written anew, with its namespace declared at the div: for documents that declare it outside or with a
 * prefix, where the source's own characters do not stand alone as JSON needs them.
 */
import { XHTML } from '../narrative/scan.ts';
import { localName, namespaceOf, type Scope, scopeOf } from './namespaces.ts';

/** Takes the parser's events from the div's start tag to its end tag; `text` is the div then. */
export class RewrittenNarrative {
  text = '';
  private readonly names: string[] = [];
  private readonly scopes: Scope[];

  constructor(scope: Scope) {
    this.scopes = [scope];
  }

  open(tagName: string, attributes: Record<string, string>): void {
    const scope = scopeOf(attributes, this.scopes.at(-1)!);
    this.scopes.push(scope);
    const name = namespaceOf(tagName, scope) === XHTML ? localName(tagName) : tagName;
    this.text += `<${name}`;
    if (this.names.length === 0) this.text += ` xmlns="${XHTML}"`;
    for (const key in attributes) {
      const value = attributes[key]!;
      if (key === 'xmlns' || (key.startsWith('xmlns:') && value === XHTML)) continue;
      this.text += ` ${key}="${escaped(value).replaceAll('"', '&quot;')}"`;
    }
    this.text += '>';
    this.names.push(name);
  }

  characters(text: string): void {
    this.text += escaped(text);
  }

  close(): void {
    this.text += `</${this.names.pop()}>`;
    this.scopes.pop();
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
