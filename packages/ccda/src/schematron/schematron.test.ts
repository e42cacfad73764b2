import { describe, expect, it } from 'vitest';
import { parseXml } from '../xml.ts';
import { compileSchematron, SchematronError } from './compile.ts';
import { loadSchematron, type Schematron } from './schematron.ts';

const DECLARATIONS = `<ns prefix="cda" uri="urn:hl7-org:v3"/><ns prefix="sdtc" uri="urn:hl7-org:sdtc"/>
  <ns prefix="xsi" uri="http://www.w3.org/2001/XMLSchema-instance"/>`;

function schema(body: string, phases = ''): Schematron {
  const text = `<schema xmlns="http://purl.oclc.org/dsdl/schematron">${DECLARATIONS}${phases}${body}</schema>`;
  return loadSchematron(compileSchematron(text));
}

function element(xml: string) {
  const parsed = parseXml(
    `<d xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${xml}</d>`,
  );
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.document.root;
}

/** Whether a test holds at the one `a` of a document. */
function holds(test: string, xml: string, more = ''): boolean {
  const escaped = test.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  const one = schema(
    `<pattern id="p"><rule context="cda:a"><assert test="${escaped}">no</assert></rule></pattern>${more}`,
  );
  return one.validate(element(xml)).length === 0;
}

describe('tests of asserts', () => {
  it.each([
    ['cda:b', '<a><b/></a>', true],
    ['cda:b', '<a><c><b/></c></a>', false],
    ['cda:c/cda:b', '<a><c/><c><b/></c></a>', true],
    ['sdtc:b', '<a><b/></a>', false],
    ['sdtc:b', '<a><sdtc:b/></a>', true],
    ['@x', '<a x=""/>', true],
    ['@x', '<a/>', false],
    ["@xsi:type = 'CD'", '<a xsi:type="CD"/>', true],
    ["@x = 'b'", '<a x="b"/>', true],
    ["@x = 'b'", '<a x=" b"/>', false],
    ["@x != 'b'", '<a/>', false],
    ["@x != 'b'", '<a x="c"/>', true],
    ["not(@x = 'b')", '<a/>', true],
    ["cda:b/@x = 'c'", '<a><b x="b"/><b x="c"/></a>', true],
    ["cda:b/@x != 'c'", '<a><b x="b"/><b x="c"/></a>', true],
    ['cda:b/@x = cda:c/@x', '<a><b x="1"/><b x="2"/><c x="2"/></a>', true],
    ['cda:b/@x = cda:c/@x', '<a><b x="1"/><c x="2"/></a>', false],
    ['count(cda:b) = 2', '<a><b/><c/><b/></a>', true],
    ['count(cda:b)>=1 and count(cda:b) <= 1', '<a><b/><b/></a>', false],
    ['2 = count(cda:b)', '<a><b/><b/></a>', true],
    ['count(((cda:b | cda:c))) = 2', '<a><b/><c/></a>', true],
    ["count(cda:b | cda:b[@x = '1']) = 1", '<a><b x="1"/></a>', true],
    ['count(((text()[normalize-space()] | @x))) = 1', '<a x="1"> <b/></a>', true],
    ['count(((text()[normalize-space()] | @x))) = 1', '<a x="1">t</a>', false],
    ["cda:b[@x = '1'][2]/@y = '3'", '<a><b x="1" y="1"/><b x="2" y="2"/><b x="1" y="3"/></a>', true],
    ["cda:b[1]/@x = '1'", '<a><b x="2"/><b x="1"/></a>', false],
    ["((cda:b | cda:c))[@x = '1']", '<a><b/><c x="1"/></a>', true],
    ["((cda:b | cda:c))[@x = '1']/cda:e", '<a><b><e/></b><c x="1"/></a>', false],
    ["@x[starts-with(., '#')]", '<a x="#b"/>', true],
    ["@x[starts-with(., '#')]", '<a x="b"/>', false],
    ["self::node() = 'text'", '<a>te<b>xt</b></a>', true],
    ["contains('one two', @x)", '<a x="two"/>', true],
    ["contains('one two', @x)", '<a/>', true],
    ["contains('one two', @x)", '<a x="three"/>', false],
    ['string-length(@x) >= 8', '<a x="20260101"/>', true],
    ['string-length(normalize-space()) = 3', '<a> b \n c </a>', true],
    ["substring(@x, string-length(@x) - 4, 1) = '+'", '<a x="20260101+0100"/>', true],
    ["substring('12345', 1.5, 2.6) = '234'", '<a/>', true],
    ["substring('12345', 0, 3) = '12'", '<a/>', true],
    ["substring('no', 1 div not(@x)) = 'no'", '<a/>', true],
    ["substring('no', 1 div not(@x)) = ''", '<a x=""/>', true],
    ['number(substring(@x, 1, 2)) >= 0', '<a x="-0"/>', true],
    ['number(@x) >= 0', '<a x=""/>', false],
    ["translate(@x, '0123456789', '0000000000') = '00-0'", '<a x="12-3"/>', true],
    ["concat(@x, ';', @y) = '1;'", '<a x="1"/>', true],
    ["substring-after(@x, '.') = '2.3'", '<a x="1.2.3"/>', true],
    ['1 + 2 * 3 - 1 = 6', '<a/>', true],
    ['not(cda:b) or cda:b and cda:c', '<a><b/></a>', false],
    ['/cda:d//cda:b[@x = current()/@x]', '<c><b x="1"/></c><a x="1"/>', true],
    ['/cda:d//cda:b[@x = current()/@x]', '<c><b x="2"/></c><a x="1"/>', false],
    ['/cda:e//cda:b', '<b/><a/>', false],
    ['descendant::cda:b', '<a><c><b/></c></a>', true],
  ])('%s of %s is %s', (test, xml, expected) => {
    expect(holds(test, xml)).toBe(expected);
  });

  it('reads variables, which may stand behind their use', () => {
    const more = '<let name="ActStatus" value="\'active completed\'"/>';
    expect(holds('contains($ActStatus, @x)', '<a x="active"/>', more)).toBe(true);
    expect(holds('contains($ActStatus, @x)', '<a x="held"/>', more)).toBe(false);
  });
});

describe('rules', () => {
  const template = "[cda:templateId[@root='1.2' and @extension='2015-08-01']]";

  it('are reached by the templateId of their context, with its extension', () => {
    const one = schema(
      `<pattern id="p"><rule id="r" context="cda:a${template}/cda:b[not(@x)]"><assert test="@y">y is missing</assert></rule></pattern>`,
    );
    const with_ = (extension: string) => `<a><templateId root="1.2"${extension}/><b/><b x="1"/><b y="1"/></a>`;
    expect(one.validate(element(with_(' extension="2015-08-01"')))).toEqual([
      { pattern: 'p', rule: 'r', test: '@y', message: 'y is missing', path: '/d/a/b[1]' },
    ]);
    expect(one.validate(element(with_('')))).toEqual([]);
    expect(one.validate(element(with_(' extension="2014-06-09"')))).toEqual([]);
  });

  it('ask for a template without extension where they say so', () => {
    const one = schema(
      `<pattern id="p"><rule context="cda:a[cda:templateId[@root='1.2' and not(@extension)]]"><assert test="@y">no</assert></rule></pattern>`,
    );
    expect(one.validate(element('<a><templateId root="1.2"/></a>'))).toHaveLength(1);
    expect(one.validate(element('<a><templateId root="1.2" extension="1"/></a>'))).toHaveLength(0);
  });

  it('let a node be of the first rule of a pattern that matches it, and of one in each pattern', () => {
    const rules = `<rule id="first" context="cda:a[@x]"><assert test="false()">1</assert></rule>
      <rule id="second" context="cda:d/cda:a"><assert test="false()">2</assert></rule>`;
    const one = schema(`<pattern id="p">${rules}</pattern><pattern id="q">${rules}</pattern>`);
    const found = one.validate(element('<a x="1"/><a/>')).map(({ rule, path }) => `${rule} ${path}`);
    expect(found).toEqual(['first /d/a[1]', 'second /d/a[2]', 'first /d/a[1]', 'second /d/a[2]']);
  });

  it('match attributes, and alternatives once', () => {
    const one = schema(
      `<pattern id="p"><rule context="cda:a/@x | cda:d/cda:a/@x"><assert test="contains('1 2', .)">it is <value-of select="concat(., '!')"/></assert></rule></pattern>`,
    );
    expect(one.validate(element('<a x="3"/><a x="2"/>')).map(({ message, path }) => [message, path])).toEqual([
      ['it is 3!', '/d/a[1]'],
    ]);
  });

  it('report where a test holds', () => {
    const one = schema('<pattern id="p"><rule context="cda:a"><report test="@x">x is there</report></rule></pattern>');
    expect(one.validate(element('<a x="1"/><a/>'))).toHaveLength(1);
  });

  it('are those of a phase where one is named', () => {
    const body = ['errors', 'warnings'].map(
      (id) => `<pattern id="${id}"><rule context="cda:a"><assert test="@x">${id}</assert></rule></pattern>`,
    );
    const phases = ['errors', 'warnings'].map((id) => `<phase id="${id}"><active pattern="${id}"/></phase>`);
    const one = schema(body.join(''), phases.join(''));
    expect(one.asserts).toBe(2);
    expect(one.validate(element('<a/>'))).toHaveLength(2);
    expect(one.validate(element('<a/>'), 'warnings').map(({ message }) => message)).toEqual(['warnings']);
    expect(() => one.validate(element('<a/>'), 'info')).toThrow(RangeError);
  });
});

describe('what is not supported', () => {
  const rule = (test: string) =>
    `<pattern id="p"><rule id="r" context="cda:a"><assert test="${test}">no</assert></rule></pattern>`;
  it.each([
    [
      'an unknown function',
      rule('matches(@x, 1)'),
      'rule r, test matches(@x, 1): the function matches() is not supported',
    ],
    ['an unknown variable', rule('$x'), 'there is no variable $x'],
    ['an undeclared prefix', rule('hl7:b'), 'the prefix of hl7:b is not declared'],
    ['an axis', rule('parent::cda:b'), 'the axis parent is not supported'],
    ['any name of a namespace', rule('cda:*'), 'cda:* is not supported'],
    ['broken XPath', rule('cda:b ='), 'the expression ends too early'],
    [
      'an abstract rule',
      '<pattern id="p"><rule abstract="true" id="r"/></pattern>',
      'abstract rules are not supported',
    ],
    ['an include', '<include href="other.sch"/>', 'is not supported'],
  ])('%s refuses the schema', (_name, body, message) => {
    expect(() => schema(body)).toThrow(SchematronError);
    expect(() => schema(body)).toThrow(message);
  });
});
