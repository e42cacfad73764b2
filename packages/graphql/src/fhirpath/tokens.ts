/** The words of a FHIRPath expression (http://hl7.org/fhirpath/N1/#lexical-elements). */

export interface Token {
  kind: 'name' | 'string' | 'number' | 'date' | 'variable' | 'sign' | 'end';
  text: string;
}

const TOKEN =
  /\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|@([0-9T:.Z+-]+)|(\d+(?:\.\d+)?)|(\$[a-z]+|%[A-Za-z`'"-]*)|([A-Za-z_][A-Za-z0-9_]*)|(!=|!~|<=|>=|[-=~<>|&+*/.,()[\]{}]))/y;

const KINDS = ['string', 'name', 'date', 'number', 'variable', 'name', 'sign'] as const;

/** The tokens, the last of kind `end`; a sentence for what is none. */
export function tokensOf(expression: string): Token[] | string {
  const text = expression.trim();
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) return `character ${at + 1} begins nothing that FHIRPath knows`;
    const group = found.findIndex((part, i) => i > 0 && part !== undefined);
    const kind = KINDS[group - 1]!;
    const word = found[group]!;
    tokens.push({ kind, text: kind === 'string' || group === 2 ? unescaped(word) : word });
  }
  tokens.push({ kind: 'end', text: 'the end' });
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/g, (_, code: string | undefined, sign: string) =>
    code === undefined ? (ESCAPES[sign] ?? sign) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
