import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FhirError } from '../outcome.ts';
import { isFhirError } from '../outcome.ts';
import { jsonFromXml } from './read.ts';
import { xmlFromJson } from './write.ts';

const NS = 'xmlns="http://hl7.org/fhir"';
const DIV = '<div xmlns="http://www.w3.org/1999/xhtml">A &amp; <b>b</b><br/></div>';

function json(xml: string): string {
  const result = jsonFromXml(xml);
  if (typeof result !== 'string') throw new Error(`${result.path}: ${result.error}`);
  return result;
}

function xml(value: object | string): string {
  const result = xmlFromJson(typeof value === 'string' ? value : JSON.stringify(value));
  if (typeof result !== 'string') throw new Error(`${result.path}: ${result.error}`);
  return result;
}

function refusal(result: string | FhirError): FhirError {
  if (typeof result === 'string' || !isFhirError(result)) throw new Error('was accepted');
  return result;
}

/** JSON and XML that say the same; the JSON in the order of the definitions. */
const PAIRS: [string, string, string][] = [
  [
    'digits of decimals',
    '{"resourceType":"Observation","valueQuantity":{"value":1.00}}',
    `<Observation ${NS}><valueQuantity><value value="1.00"/></valueQuantity></Observation>`,
  ],
  [
    'numbers beyond what a double holds',
    '{"resourceType":"Observation","valueQuantity":{"value":-0.12345678901234567890e-10}}',
    `<Observation ${NS}><valueQuantity><value value="-0.12345678901234567890e-10"/></valueQuantity></Observation>`,
  ],
  [
    'booleans, integers and a choice',
    '{"resourceType":"Patient","active":false,"multipleBirthInteger":2}',
    `<Patient ${NS}><active value="false"/><multipleBirthInteger value="2"/></Patient>`,
  ],
  [
    'one item of what repeats',
    '{"resourceType":"Patient","name":[{"given":["A"]}]}',
    `<Patient ${NS}><name><given value="A"/></name></Patient>`,
  ],
  [
    'ids and extensions of primitives, in their place',
    '{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"extension":[{"url":"u","valueBoolean":true}]},{"id":"c"}]}],"birthDate":"1970","_birthDate":{"id":"b"}}',
    `<Patient ${NS}><name><given value="A"/><given><extension url="u"><valueBoolean value="true"/></extension></given>` +
      `<given id="c" value="C"/></name><birthDate id="b" value="1970"/></Patient>`,
  ],
  [
    'a primitive that has extensions only',
    '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"x"}]}}',
    `<Patient ${NS}><birthDate><extension url="u"><valueCode value="x"/></extension></birthDate></Patient>`,
  ],
  [
    'ids of elements as attributes, of resources as elements',
    '{"resourceType":"Patient","id":"p","extension":[{"id":"e","url":"u","valueString":"x"}],"contact":[{"id":"c","gender":"female"}]}',
    `<Patient ${NS}><id value="p"/><extension id="e" url="u"><valueString value="x"/></extension>` +
      `<contact id="c"><gender value="female"/></contact></Patient>`,
  ],
  [
    'contained resources',
    '{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Practitioner","id":"q"}]}',
    `<Patient ${NS}><contained><Organization><id value="o"/></Organization></contained>` +
      `<contained><Practitioner><id value="q"/></Practitioner></contained></Patient>`,
  ],
  [
    'Bundles',
    '{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Basic"}},{"request":{"method":"GET","url":"Patient?a=b&c=d"}}]}',
    `<Bundle ${NS}><type value="batch"/><entry><fullUrl value="urn:uuid:1"/><resource><Basic/></resource></entry>` +
      `<entry><request><method value="GET"/><url value="Patient?a=b&amp;c=d"/></request></entry></Bundle>`,
  ],
  [
    'narrative',
    JSON.stringify({ resourceType: 'Patient', text: { status: 'generated', div: DIV } }),
    `<Patient ${NS}><text><status value="generated"/>${DIV}</text></Patient>`,
  ],
  [
    'marks of XML and white space in a value',
    JSON.stringify({ resourceType: 'Basic', language: 'a<b>&"\'\n\t\r\u00e9\u{1f600}' }),
    `<Basic ${NS}><language value="a&lt;b>&amp;&quot;'&#10;&#9;&#13;\u00e9\u{1f600}"/></Basic>`,
  ],
];

describe('JSON and XML', () => {
  test.each(PAIRS)('%s', (_name, asJson, asXml) => {
    expect(xml(asJson)).toBe(asXml);
    expect(json(asXml)).toBe(asJson);
  });

  test('XML is written in the order of the definitions', () => {
    expect(
      xml({
        birthDate: '1970',
        name: [{ given: ['A'], family: 'B' }],
        id: 'p',
        _birthDate: { id: 'b' },
        resourceType: 'Patient',
        meta: { versionId: '1' },
      }),
    ).toBe(
      `<Patient ${NS}><id value="p"/><meta><versionId value="1"/></meta>` +
        '<name><family value="B"/><given value="A"/></name><birthDate id="b" value="1970"/></Patient>',
    );
  });

  test('JSON keeps the order of the XML', () => {
    expect(json(`<Patient ${NS}><gender value="female"/><id value="p"/></Patient>`)).toBe(
      '{"resourceType":"Patient","gender":"female","id":"p"}',
    );
  });

  test('comments, declarations, schema locations and white space say nothing', () => {
    const text = `\uFEFF<?xml version="1.0" encoding="UTF-8"?><!-- x -->\n<Patient ${NS} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">\n  <!-- y -->\n  <active value=" true "/>\n</Patient>\n`;
    expect(json(text)).toBe('{"resourceType":"Patient","active":true}');
  });

  test('a prefix is as good as a default namespace; the narrative of the JSON has its own', () => {
    const text =
      '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><f:status value="additional"/>' +
      '<h:div class="x"><h:p title="&quot;a&lt;">1 &lt; 2</h:p></h:div></f:text></f:Patient>';
    expect(JSON.parse(json(text)).text.div).toBe(
      '<div xmlns="http://www.w3.org/1999/xhtml" class="x"><p title="&quot;a&lt;">1 &lt; 2</p></div>',
    );
    const inherited =
      '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml"><f:text><f:status value="additional"/><div>a</div></f:text></f:Patient>';
    expect(JSON.parse(json(inherited)).text.div).toBe('<div xmlns="http://www.w3.org/1999/xhtml">a</div>');
  });

  test('a narrative is cut out exactly, whatever stands before and in it', () => {
    const div =
      '<div\r\n xmlns="http://www.w3.org/1999/xhtml">\u{1f600}\r\n<!-- </div> --><p\ttitle=\'a\'>&#x1f600;</p >\r\n</div >';
    const text = `<?xml version="1.0"?>\r\n<!-- \u{1f600} -->\r\n<Basic ${NS}>\r\n<id value="\u{1f600}"/>\r\n<text><status value="additional"/>${div}</text>\r\n</Basic>`;
    expect(JSON.parse(json(text)).text.div).toBe(div);
    const wrong = refusal(jsonFromXml(text.replace('</Basic>', '\u{1f600}<x/></Basic>')));
    expect(wrong).toMatchObject({ code: 'structure', path: 'Basic' });
    expect(refusal(jsonFromXml(text.replace('</Basic>', '<x/></Basic>')))).toMatchObject({ line: 9, column: 1 });
  });

  test('a narrative without a namespace gets one in XML', () => {
    const text = { resourceType: 'Basic', text: { status: 'additional', div: '<div class="a">b</div>' } };
    expect(xml(text)).toContain('<div xmlns="http://www.w3.org/1999/xhtml" class="a">b</div>');
  });
});

describe('jsonFromXml refuses', () => {
  test.each([
    ['', 'invalid', '', 1],
    ['<Patient/>', 'structure', '', 1],
    [`<x:Patient ${NS}/>`, 'structure', '', 1],
    [`<Patient ${NS} xmlns:x="urn:x"><x:active value="true"/></Patient>`, 'structure', 'Patient', 1],
    [`<Patient ${NS}><active xmlns="" value="true"/></Patient>`, 'structure', 'Patient', 1],
    [`<Patient ${NS} xmlns:x="urn:x"><active x:value="true"/></Patient>`, 'structure', 'Patient.active', 1],
    [`<Patient ${NS}><active value="true" value="false"/></Patient>`, 'invalid', 'Patient', 1],
    [`<Hobbit ${NS}/>`, 'structure', '', 1],
    [`<Patient ${NS}>\n <nmae/></Patient>`, 'structure', 'Patient', 2],
    [`<Patient ${NS}>\n x</Patient>`, 'structure', 'Patient', 2],
    [`<Patient ${NS}><active value="yes"/></Patient>`, 'value', 'Patient.active', 1],
    [`<Patient ${NS}><multipleBirthInteger value="+1"/></Patient>`, 'value', 'Patient.multipleBirthInteger', 1],
    [
      `<Patient ${NS}><multipleBirthInteger value="1,&quot;x&quot;:2"/></Patient>`,
      'value',
      'Patient.multipleBirthInteger',
      1,
    ],
    [`<Patient ${NS}><birthDate/></Patient>`, 'value', 'Patient.birthDate', 1],
    [`<Patient ${NS}><active value="true"/><active value="true"/></Patient>`, 'structure', 'Patient', 1],
    [`<Patient ${NS}><name/>\n<name><x/></name></Patient>`, 'structure', 'Patient.name[1]', 2],
    [`<Patient ${NS} id="x"/>`, 'structure', 'Patient', 1],
    [`<Patient ${NS}><name foo="x"/></Patient>`, 'structure', 'Patient.name[0]', 1],
    [`<Patient ${NS}><name value="x"/></Patient>`, 'structure', 'Patient.name[0]', 1],
    [`<Patient ${NS}><contained/></Patient>`, 'structure', 'Patient.contained[0]', 1],
    [`<Patient ${NS}><contained><Basic/><Basic/></contained></Patient>`, 'structure', 'Patient.contained[0]', 1],
    [`<Patient ${NS}><text><div>x</div></text></Patient>`, 'structure', 'Patient.text', 1],
    [`<Patient ${NS}><birthDate value="1970"><x/></birthDate></Patient>`, 'structure', 'Patient.birthDate', 1],
    [`<Patient ${NS}><name></Patient>`, 'invalid', 'Patient', 1],
    [`<Patient ${NS}><gender value="&nbsp;"/></Patient>`, 'invalid', 'Patient', 1],
    [`<Patient ${NS}/><Patient ${NS}/>`, 'invalid', '', 1],
    [`<!DOCTYPE Patient SYSTEM "http://127.0.0.1:1/x.dtd"><Patient ${NS}/>`, 'structure', '', 1],
    [`<!DOCTYPE Patient [<!ENTITY x "y">]><Patient ${NS}><gender value="&x;"/></Patient>`, 'structure', '', 1],
  ])('%j', (text, code, path, line) => {
    expect(refusal(jsonFromXml(text))).toMatchObject({ code, path, line });
  });

  test('with a sentence that helps and holds no value', () => {
    const choice = refusal(jsonFromXml(`<Observation ${NS}><value value="secret"/></Observation>`));
    expect(choice.error).toContain('valueQuantity');
    const attribute = refusal(jsonFromXml(`<Patient ${NS}><extension><url value="secret"/></extension></Patient>`));
    expect(attribute.error).toContain('attribute');
    const word = refusal(jsonFromXml(`<Patient ${NS}><Name/></Patient>`));
    expect(word.error).toContain('right is name');
    const broken = refusal(jsonFromXml(`<Patient ${NS}><name secret></Patient>`));
    expect([choice, attribute, word, broken].map(({ error }) => error).join()).not.toContain('secret');
  });

  test('what is over the limits', () => {
    const deep = (levels: number) =>
      `<Questionnaire ${NS}>${'<item>'.repeat(levels)}${'</item>'.repeat(levels)}</Questionnaire>`;
    expect(refusal(jsonFromXml(deep(5000))).code).toBe('too-costly');
    expect(refusal(jsonFromXml(deep(5), { maxDepth: 5 })).code).toBe('too-costly');
    expect(typeof jsonFromXml(deep(5), { maxDepth: 6 })).toBe('string');
    expect(refusal(jsonFromXml(deep(5), { maxElements: 5 })).code).toBe('too-costly');
    expect(refusal(jsonFromXml(deep(5), { maxLength: 5 })).code).toBe('too-long');
    const div = `${'<div xmlns="http://www.w3.org/1999/xhtml">'.repeat(5000)}${'</div>'.repeat(5000)}`;
    expect(refusal(jsonFromXml(`<Basic ${NS}><text>${div}</text></Basic>`)).code).toBe('too-costly');
  });
});

test('elements deep inside one another take bounded time', () => {
  const started = performance.now();
  const deep = `<Basic ${NS}>${'<extension url="x">'.repeat(120)}${'<extension url="a"/>'.repeat(50_000)}`;
  expect(refusal(jsonFromXml(deep)).code).toBe('invalid');
  const prefixes = Array.from({ length: 20_000 }, (_, i) => `xmlns:a${i}="u"`).join(' ');
  const many = `<Basic ${NS} ${prefixes}>${'<extension url="a" xmlns:b="u"/>'.repeat(20_000)}</Basic>`;
  expect(typeof jsonFromXml(many)).toBe('string');
  expect(performance.now() - started).toBeLessThan(5000);
});

describe('xmlFromJson refuses', () => {
  test.each([
    ['', 'invalid', ''],
    ['[]', 'structure', ''],
    ['{"resourceType":"Hobbit"}', 'structure', ''],
    ['{"resourceType":"Patient","nmae":1}', 'structure', 'Patient'],
    ['{"resourceType":"Patient","name":[{"x":1}]}', 'structure', 'Patient.name[0]'],
    ['{"resourceType":"Patient","name":["x"]}', 'structure', 'Patient.name[0]'],
    ['{"resourceType":"Patient","gender":{}}', 'structure', 'Patient.gender'],
    ['{"resourceType":"Patient","gender":["male"]}', 'structure', 'Patient.gender'],
    ['{"resourceType":"Patient","gender":"male","gender":"female"}', 'duplicate', 'Patient.gender'],
    ['{"resourceType":"Patient","name":[{}],"id":"a","name":[{}]}', 'duplicate', 'Patient.name'],
    ['{"resourceType":"Patient","_name":{}}', 'structure', 'Patient'],
    ['{"resourceType":"Patient","text":{"_div":{"id":"a"}}}', 'structure', 'Patient.text'],
    ['{"resourceType":"Patient","name":[{"_id":{"id":"a"}}]}', 'structure', 'Patient.name[0]'],
    ['{"resourceType":"Patient","language":"\\u0001"}', 'not-supported', 'Patient.language'],
    ['{"resourceType":"Patient","language":"\\uffff"}', 'not-supported', 'Patient.language'],
    ['{"resourceType":"Patient","language":"\\ud800"}', 'value', 'Patient'],
    ['{"resourceType":"Patient","text":{"div":"<div>"}}', 'not-supported', 'Patient.text.div'],
    ['{"resourceType":"Patient","text":{"div":"<div>&nbsp;</div>"}}', 'not-supported', 'Patient.text.div'],
    ['{"resourceType":"Patient","text":{"div":"</text><active/>"}}', 'not-supported', 'Patient.text.div'],
    ['{"resourceType":"Patient","text":{"div":"<div/><div/>"}}', 'not-supported', 'Patient.text.div'],
    ['{"resourceType":"Patient","text":{"div":7}}', 'not-supported', 'Patient.text.div'],
    ['{"resourceType":"Patient","__proto__":{}}', 'structure', 'Patient'],
  ])('%s', (text, code, path) => {
    expect(refusal(xmlFromJson(text))).toMatchObject({ code, path });
  });

  test('depths beyond the limit', () => {
    const deep = `{"resourceType":"Questionnaire","item":${'[{"item":'.repeat(5000)}[]${'}]'.repeat(5000)}}`;
    expect(refusal(xmlFromJson(deep)).code).toBe('too-costly');
  });
});

describe('never throws', () => {
  const pieces = fc.constantFrom(
    `<Patient ${NS}>`,
    '</Patient>',
    '<name>',
    '</name>',
    '<text>',
    '<div xmlns="http://www.w3.org/1999/xhtml">',
    '</div>',
    '</text>',
    '<given value="x"/>',
    '<contained>',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<!DOCTYPE',
    '&amp;',
    '&',
    '"',
    ' __proto__="',
    '<__proto__/>',
    '>',
  );
  test('reading any text', () => {
    fc.assert(fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => void jsonFromXml(parts.join(''))));
  });

  test('writing any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void xmlFromJson(text)));
    const key = fc.constantFrom(
      'name',
      '_name',
      'gender',
      '_gender',
      'text',
      'div',
      'contained',
      'extension',
      'id',
      'url',
    );
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), (any) => {
        const text = JSON.stringify({ resourceType: 'Patient', ...any });
        const written = xmlFromJson(text);
        if (typeof written === 'string') expect(typeof jsonFromXml(written)).not.toBe('undefined');
      }),
    );
  });
});
