import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPlaces } from './json-places.ts';
import { prettyJson, prettyXml } from './pretty.ts';
import { xmlPlaces } from './xml-places.ts';

const XML = `<?xml version="1.0"?><!-- <id/> --><Doc xmlns:sdtc="urn:x"><id root="1"/><id root="2" extension='a>b'/>
<name use="L"><given>Ada</given><given>M.</given></name><sdtc:raceCode code="r"/><section><text><p>words</p></text></section></Doc>`;

describe('places in XML', () => {
  for (const text of [XML, prettyXml(XML)]) {
    const { placeOf, sourceAt } = xmlPlaces(text);
    const at = (source: string) => {
      const place = placeOf(source);
      return place && text.slice(...place);
    };
    it('are found by the paths of the ledger', () => {
      expect(at('/Doc/id[2]/@extension')).toBe(`extension='a>b'`);
      expect(at('/Doc/id[1]')).toBe('<id root="1"/>');
      expect(at('/Doc/name/given[2]/text()')).toBe('M.');
      expect(at('/Doc/sdtc:raceCode/@code')).toBe('code="r"');
      expect(at('/Doc/section/text')).toContain('words');
      expect(at('/Doc/id[3]')).toBeUndefined();
      expect(at('PID[1]-5')).toBeUndefined();
    });
    it('lead back to the same paths', () => {
      for (const path of ['/Doc/id[2]/@extension', '/Doc/name/given[1]/text()', '/Doc/sdtc:raceCode/@code']) {
        expect(sourceAt(placeOf(path)![0])).toBe(path);
      }
      expect(sourceAt(0)).toBeUndefined();
    });
  }
  it('no text makes the reading fail', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('<', '>', '"', "'", '<a>', '</a>', '<!--', '-->', 'x', ']]>', '<![CDATA[')),
        (parts) => {
          const text = parts.join('');
          const { placeOf, sourceAt } = xmlPlaces(text);
          placeOf('/a/a[2]/@x');
          for (let offset = 0; offset < text.length; offset += 1) sourceAt(offset);
        },
      ),
    );
  });
});

describe('places in JSON', () => {
  const text = prettyJson(
    '{"resourceType":"Bundle","entry":[{"a":1.0},{"resource":{"code":{"text":"x, \\"y\\""}}}],"n":[[1,2]]}',
  );
  const { placeOf, sourceAt } = jsonPlaces(text);
  it('are found by the paths of the ledger, the name with the value', () => {
    expect(text.slice(...placeOf('Bundle.entry[1].resource.code.text')!)).toBe('"text": "x, \\"y\\""');
    expect(text.slice(...placeOf('Bundle.entry[0].a')!)).toBe('"a": 1.0');
    expect(text.slice(...placeOf('Bundle.n[0][1]')!)).toBe('2');
    expect(placeOf('Bundle.entry[7]')).toBeUndefined();
  });
  it('lead back to the narrowest path', () => {
    for (const path of ['Bundle.entry[1].resource.code.text', 'Bundle.entry[0].a', 'Bundle.n[0][1]']) {
      expect(sourceAt(placeOf(path)![0])).toBe(path);
    }
  });
  it('every member of any JSON is found', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue()), (value) => {
        const laid = prettyJson(JSON.stringify(value));
        const places = jsonPlaces(laid);
        for (const [name, member] of Object.entries(value)) {
          const place = places.placeOf(`.${name}`)!;
          expect(JSON.parse(`{${laid.slice(...place)}}`)).toEqual(JSON.parse(JSON.stringify({ [name]: member })));
        }
      }),
    );
  });
});
