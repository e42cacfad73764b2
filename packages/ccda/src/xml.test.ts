import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseXml } from './xml.ts';

function parsed(text: string | Uint8Array) {
  const result = parseXml(text);
  if (!result.ok) throw new Error(result.error.message);
  return result.document;
}

function refusal(text: string | Uint8Array, limits = {}) {
  const result = parseXml(text, limits);
  if (result.ok) throw new Error('was accepted');
  return result.error;
}

describe('parseXml', () => {
  it('names elements by namespace, whatever the prefix', () => {
    const { root } = parsed('<c:section xmlns:c="urn:hl7-org:v3" xmlns:x="urn:hl7-org:sdtc"><x:raceCode/></c:section>');
    expect(root.name).toBe('section');
    expect(root.children[0]?.name).toBe('sdtc:raceCode');
  });

  it('keeps the exact markup of an element', () => {
    const text = '<section xmlns="urn:hl7-org:v3"><text>a <content  ID="x">b &amp; c</content>\n</text></section>';
    const document = parsed(text);
    const narrative = document.root.child('text')!;
    expect(document.source.slice(narrative.start, narrative.end)).toBe(
      '<text>a <content  ID="x">b &amp; c</content>\n</text>',
    );
    expect(narrative.allText).toBe('a b & c');
  });

  it('gives each element an XPath', () => {
    const { root } = parsed('<a><b/><b><c/></b><d/></a>');
    expect(root.children.map((child) => child.path)).toEqual(['/a/b[1]', '/a/b[2]', '/a/d']);
    expect(root.children[1]?.children[0]?.path).toBe('/a/b[2]/c');
  });

  it('refuses an external entity', () => {
    const text = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n<a>&x;</a>';
    expect(refusal(text).code).toBe('doctype');
  });

  it('refuses entities that multiply', () => {
    const text = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;"><!ENTITY z "&y;&y;&y;&y;">]><a>&z;</a>';
    expect(refusal(text).code).toBe('doctype');
  });

  it('refuses an entity that XML does not predefine, and says where', () => {
    const error = refusal('<a>\n  <b>&nbsp;</b></a>');
    expect(error).toMatchObject({ code: 'entity', line: 2 });
  });

  it('accepts a DOCTYPE without internal subset and fetches nothing', () => {
    expect(parsed('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>').root.name).toBe('a');
  });

  it('tells where a document is broken without quoting it', () => {
    const error = refusal('<a>\n<secret>x</b></a>');
    expect(error).toMatchObject({ code: 'malformed', line: 2 });
    expect(error.message).not.toContain('secret');
  });

  it('holds its limits', () => {
    expect(refusal('<a/>', { bytes: 3 }).code).toBe('limit');
    expect(refusal('<a><a><a/></a></a>', { depth: 2 }).code).toBe('limit');
    expect(refusal('<a><b/><b/></a>', { elements: 2 }).code).toBe('limit');
    expect(refusal('<a x="1" y="2"/>', { attributes: 1 }).code).toBe('limit');
  });

  it.each([
    ['utf-8 with mark', Buffer.from('\uFEFF<a>é</a>', 'utf8')],
    ['utf-16le', Buffer.from('\uFEFF<a>é</a>', 'utf16le')],
    ['utf-16le without mark', Buffer.from('<?xml version="1.0"?><a>é</a>', 'utf16le')],
    ['utf-16be', Buffer.from('\uFEFF<a>é</a>', 'utf16le').swap16()],
    ['latin-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1')],
    ['windows-1252', Buffer.from('<?xml version="1.0" encoding="windows-1252"?><a>é</a>', 'latin1')],
  ])('reads %s', (_name, bytes) => {
    expect(parsed(bytes).root.text).toBe('é');
  });

  it('refuses bytes that the encoding does not allow, and encodings it does not know', () => {
    expect(refusal(Buffer.from('<a>\xe9</a>', 'latin1')).code).toBe('encoding');
    expect(refusal(Buffer.from('<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>')).code).toBe('encoding');
    expect(refusal('').code).toBe('empty');
  });

  it('never throws', () => {
    const pieces = fc.constantFrom(
      '<a>',
      '</a>',
      '<b x="1"',
      '>',
      '/>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&',
      ';',
      '<?',
      '?>',
      '"',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
        parseXml(parts.join(''));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        parseXml(bytes);
      }),
    );
  });
});

it.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])('%s is no encoding', (name) => {
  const result = parseXml(Buffer.from(`<?xml version="1.0" encoding="${name}"?><a/>`));
  expect(result.ok || result.error.code).toBe('encoding');
});
