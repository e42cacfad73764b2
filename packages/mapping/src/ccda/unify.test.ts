import { expect, it } from 'vitest';
import { convert, documentOf, ofType, sectionOf } from './sample.ts';
import { SaidItems } from './unify.ts';

it('an item is found where all stands that is said, the first such', () => {
  const items: unknown[] = [{ a: 1 }, { a: 1, b: { c: [1] } }, { b: { c: [1] }, d: 'x' }, 'word', 7, {}];
  const said = new SaidItems(items);
  const found = [
    { a: 1 },
    { b: { c: [1] } },
    { a: 1, b: { c: [1] } },
    { d: 'x' },
    { d: 'y' },
    { a: '1' },
    'word',
    7,
    '7',
  ];
  expect(found.map((value) => said.find(value))).toEqual([0, 1, 1, 2, -1, -1, 3, 4, -1]);
  expect(said.find({})).toBe(0);
  expect([said.add({ d: 'y' }), said.find({ d: 'y' }), items.length]).toEqual([6, 6, 7]);
});

it('an organization that is told twice with long lists takes no more time than they are long', () => {
  const phones = (from: number) =>
    Array.from({ length: 4_000 }, (_, i) => `<telecom use="WP" value="tel:+1-207-555-${from + i}"/>`).join('');
  let told = 0;
  const xml = documentOf(sectionOf('10160-0', '')).replace(
    /<name>Saltby Surgery<\/name>/g,
    (name) => `${name}${phones(2_000 * told++)}`,
  );
  const before = process.cpuUsage();
  const conversion = convert(xml);
  const { user, system } = process.cpuUsage(before);
  const [organization] = ofType(conversion, 'Organization');
  expect(told).toBe(2);
  expect(organization!.telecom).toHaveLength(6_000);
  expect((user + system) / 1_000).toBeLessThan(3_000);
});
