/**
 * A second, small reading of XML: every attribute and text of a document with its XPath, by scanning the markup with
 * regular expressions. It is only run on documents that the real parser has found well-formed.
 */

export interface RawElement {
  /** By namespace, as ledgers write it: `id`, `sdtc:raceCode`, `{uri}name`. */
  name: string;
  attributes: [name: string, value: string][];
  text: string;
  /** The text as it stands between the children. */
  pieces: string[];
  children: RawElement[];
  parent: RawElement | undefined;
}

const NAMESPACES: Readonly<Record<string, string>> = {
  '': '',
  'urn:hl7-org:v3': '',
  'urn:hl7-org:sdtc': 'sdtc:',
  'http://www.w3.org/2001/XMLSchema-instance': 'xsi:',
};

/** Prefixes that documents use without declaring them. */
const ASSUMED: Readonly<Record<string, string>> = {
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  sdtc: 'urn:hl7-org:sdtc',
  voc: 'urn:hl7-org:v3/voc',
  xml: 'http://www.w3.org/XML/1998/namespace',
};

const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<![^>]*>|<\/[^>]*>|<([^\s/>]+)((?:[^>"']|"[^"]*"|'[^']*')*)>|([^<]+)/g;

/** The characters of a document, by its byte order mark or declaration. */
export function decoded(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  const utf16 = bytes[0] === 0xff || (bytes[0] === 0x3c && bytes[1] === 0);
  if (utf16) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe || (bytes[0] === 0 && bytes[1] === 0x3c)) return new TextDecoder('utf-16be').decode(bytes);
  const declared = /^\s*<\?xml[^>]*encoding\s*=\s*["'](iso-8859-1|latin1|windows-1252|cp1252)["']/i.test(head);
  return new TextDecoder(declared && bytes[0] !== 0xef ? 'windows-1252' : 'utf-8').decode(bytes);
}

/** The root element; undefined when the text has none. */
export function readMarkup(source: string): RawElement | undefined {
  let root: RawElement | undefined;
  let open: RawElement | undefined;
  const scopes: Record<string, string>[] = [{ ...ASSUMED, '': '' }];
  for (const token of source.matchAll(TOKEN)) {
    const [whole, cdata, tag, rest = '', text] = token;
    if (text !== undefined || cdata !== undefined) {
      const characters = cdata ?? unescaped(text!);
      open?.pieces.push(characters);
      if (open !== undefined) open.text += characters;
    } else if (whole.startsWith('</')) {
      open = open?.parent;
      scopes.pop();
    } else if (tag !== undefined) {
      const written = attributesOf(rest);
      const scope = scopeOf(scopes.at(-1)!, written);
      const element: RawElement = {
        name: nameIn(scope, tag, scope['']!),
        attributes: [],
        text: '',
        pieces: [],
        children: [],
        parent: open,
      };
      for (const [name, value] of written) {
        if (name !== 'xmlns' && !name.startsWith('xmlns:')) element.attributes.push([nameIn(scope, name, ''), value]);
      }
      open?.children.push(element);
      root ??= element;
      if (rest.endsWith('/')) continue;
      open = element;
      scopes.push(scope);
    }
  }
  return root;
}

function attributesOf(text: string): [string, string][] {
  return [...text.matchAll(/([^\s=/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name, double, single]) => [
    name!,
    unescaped(double ?? single ?? ''),
  ]);
}

function scopeOf(outer: Record<string, string>, attributes: [string, string][]): Record<string, string> {
  const declared = attributes.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declared.length === 0) return outer;
  return { ...outer, ...Object.fromEntries(declared.map(([name, uri]) => [name.slice(6), uri])) };
}

function nameIn(scope: Record<string, string>, qualified: string, unprefixed: string): string {
  const colon = qualified.indexOf(':');
  const uri = colon < 0 ? unprefixed : (scope[qualified.slice(0, colon)] ?? '');
  const local = qualified.slice(colon + 1);
  return `${NAMESPACES[uri] ?? `{${uri}}`}${local}`;
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (written, name: string) => {
    if (name[0] !== '#') return NAMED[name] ?? written;
    return String.fromCodePoint(
      name[1]!.toLowerCase() === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1)),
    );
  });
}
