/** What holds for every valid resource: made from the definitions, see testing.ts. */
import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prettyJson } from '../json/pretty.ts';
import { resourceTypes } from '../resource-types.ts';
import { subset } from '../subset.ts';
import { anyDecimal, anyResource } from '../testing.ts';
import { validate } from '../validation/validate.ts';
import { jsonFromXml } from './read.ts';
import { xmlFromJson } from './write.ts';

const anyType = fc.constantFrom(...resourceTypes().filter((type) => type !== 'SubscriptionStatus'));
const any = anyType.chain((type) => fc.tuple(fc.constant(type), anyResource(type)));

/** Members in order of name, numbers as their digits. */
function content(text: string): unknown {
  const read = (_key: string, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number' ? `number ${source}` : value;
  return JSON.parse(text, read as (key: string, value: unknown) => unknown);
}

/** Whether every member of the part is in the whole, and every item of its arrays in the array there. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((item) => whole.some((other) => isPartOf(item, other)));
  }
  if (typeof part !== 'object' || part === null) return part === whole;
  if (typeof whole !== 'object' || whole === null) return false;
  return Object.entries(part).every(([key, value]) => isPartOf(value, (whole as Record<string, unknown>)[key]));
}

function errors(text: string): string[] {
  return validate(JSON.parse(text) as Resource).map(({ expression, diagnostics }) => `${expression}: ${diagnostics}`);
}

describe('any valid resource', () => {
  test('is valid: the arbitrary makes what it says', () => {
    fc.assert(
      fc.property(any, ([, text]) => void expect(errors(text)).toEqual([])),
      { numRuns: 300 },
    );
  });

  test('goes to XML and comes back with every digit', () => {
    fc.assert(
      fc.property(any, ([, text]) => {
        const xml = xmlFromJson(text);
        if (typeof xml !== 'string') throw new Error(`${xml.path}: ${xml.error}`);
        const back = jsonFromXml(xml);
        if (typeof back !== 'string') throw new Error(`${back.path}: ${back.error}`);
        expect(content(back)).toEqual(content(text));
        expect(xmlFromJson(back)).toBe(xml);
      }),
      { numRuns: 500 },
    );
  });

  test('does so whatever was asked of the definitions before', () => {
    const text =
      '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Basic","code":{"text":"a"}}}]}';
    expect(subset(text, { summary: 'true' })).toContain('"resourceType":"Basic"');
    expect(errors(text)).toEqual([]);
    expect(jsonFromXml(String(xmlFromJson(text)))).toBe(text);
    expect(subset(text, { summary: 'true' })).toContain('"resourceType":"Basic"');
  });

  test('any decimal keeps its digits', () => {
    fc.assert(
      fc.property(anyDecimal, (digits) => {
        const text = `{"resourceType":"Observation","valueQuantity":{"value":${digits}}}`;
        const xml = xmlFromJson(text);
        expect(xml).toContain(`value="${digits}"`);
        expect(jsonFromXml(String(xml))).toBe(text);
        expect(prettyJson(text)).toContain(`"value": ${digits}\n`);
      }),
    );
  });

  test('is valid in part, and nothing in a part is new', () => {
    const requests = [{ summary: 'true' }, { summary: 'text' }, { summary: 'data' }, { elements: [] }] as const;
    fc.assert(
      fc.property(any, fc.constantFrom(...requests), ([, text], request) => {
        const part = subset(text, request);
        expect(errors(part)).toEqual([]);
        const { meta, ...rest } = content(part) as { meta: { tag: unknown[] } };
        expect(meta.tag.at(-1)).toMatchObject({ code: 'SUBSETTED' });
        expect(isPartOf(rest, content(text))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('is the same when pretty', () => {
    fc.assert(
      fc.property(any, ([, text]) => {
        expect(content(prettyJson(text))).toEqual(content(text));
      }),
    );
  });
});
