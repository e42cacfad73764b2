import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sameContent } from './apply.ts';

const meta = (tag: string) => ({ versionId: '1', lastUpdated: '2026-01-31T08:00:00Z', tag: [{ code: tag }] });
const about = { resourceType: 'Observation', id: 'a', status: 'final', code: { text: 'Kalium' } };

it('looks past what is noted of versions, and at all else', () => {
  const known = { ...about, meta: meta('lab') };
  expect(sameContent(known, { ...about, id: 'b', meta: { ...meta('lab'), versionId: '2', source: 'urn:x' } })).toBe(
    true,
  );
  expect(sameContent(known, { ...known, issued: undefined })).toBe(true);
  expect(sameContent(known, { ...about, meta: meta('hospital') })).toBe(false);
  expect(sameContent(known, { ...known, meta: { ...known.meta, security: [{ code: 'R' }] } })).toBe(false);
  expect(sameContent(known, { ...known, note: [] })).toBe(false);
  expect(sameContent({ ...known, note: [] }, known)).toBe(false);
  expect(sameContent({ ...known, note: [] }, { ...known, note: {} })).toBe(false);
  expect(sameContent({ ...known, note: [1, 2] }, { ...known, note: [2, 1] })).toBe(false);
  expect(sameContent(JSON.parse('{"__proto__":{}}'), { issued: 'today' })).toBe(false);
});

/** The members of all objects in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([name, item]) => [name, turned(item)]));
}

it('holds two that are written in another order for the same, and two for different whose texts differ then', () => {
  const resource = fc.record({ resourceType: fc.constant('Basic'), extension: fc.jsonValue(), code: fc.jsonValue() });
  fc.assert(
    fc.property(resource, resource, (one, other) => {
      expect(sameContent(one, turned(one) as object)).toBe(true);
      const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
      expect(sameContent(one, other)).toBe(isSame);
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}
