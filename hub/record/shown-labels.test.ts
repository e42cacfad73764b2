import { label } from '@causeway/access';
import { type ScannedResource, scanResource } from '@causeway/fhir';
import { expect, it } from 'vitest';
import { labelled, withLabels, withoutLabels } from './shown-labels.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const meta = (more = '') => `"meta":{"versionId":"1","lastUpdated":"2026-01-31T08:00:00.000Z"${more}}`;
const codes = (text: string): string[] =>
  (JSON.parse(text).meta.security ?? []).map(({ code }: { code: string }) => code);
const scan = (text: string) => scanResource(text) as ScannedResource;

it('puts labels beside those of the source, each once, and changes nothing else', () => {
  const bare = `{"resourceType":"Basic","id":"1",${meta()},"extension":[{"url":"u","valueDecimal":1.00}]}`;
  const shown = withLabels(bare, label.hiv | label.part2);
  expect(codes(shown)).toEqual(['42CFRPart2', 'HIV']);
  expect(shown.replace(/,"security":\[.*?}]}/, '}')).not.toBe(shown);
  expect(shown).toContain('1.00');
  expect(withLabels(bare, 0)).toBe(bare);
  expect(withLabels(bare, label.unlabelled)).toBe(bare);
  const said = `{"resourceType":"Basic","id":"1",${meta(`,"security":[{"system":"${actCode}","code":"HIV"}]`)}}`;
  expect(codes(withLabels(said, label.hiv | label.restricted))).toEqual(['HIV', 'R']);
  expect(withLabels(said, label.hiv)).toBe(said);
  expect(codes(withLabels(bare, label.restricted | label.veryRestricted))).toEqual(['V']);
});

it("finds the resource's own meta, wherever it stands", () => {
  const within = `{"resourceType":"Basic","contained":[{"resourceType":"Basic",${meta()}}],"id":"1",${meta()}}`;
  const shown = JSON.parse(withLabels(within, label.hiv));
  expect(shown.contained[0].meta.security).toBeUndefined();
  expect(shown.meta.security).toHaveLength(1);
});

it('says the same of a parsed resource', () => {
  const text = `{"resourceType":"Basic","id":"1",${meta(`,"security":[{"system":"s","code":"c"}]`)}}`;
  expect(labelled(JSON.parse(text), label.hiv)).toEqual(JSON.parse(withLabels(text, label.hiv)));
});

it('takes off what the hub put on, and only that', () => {
  const text = `{"resourceType":"Basic","id":"1",${meta(`,"security":[{"system":"${confidentiality}","code":"R"}]`)}}`;
  const labels = label.restricted | label.hiv;
  const read = withLabels(text, labels);
  expect(withoutLabels(scan(read), { text, labels }).text).toBe(text);
  // Its mark tells, when the label has gone since; system and code tell, when the mark was lost.
  expect(withoutLabels(scan(read), { text, labels: label.restricted }).text).toBe(text);
  const unmarked = JSON.parse(read);
  for (const coding of unmarked.meta.security) delete coding.extension;
  expect(codes(withoutLabels(scan(JSON.stringify(unmarked)), { text, labels }).text)).toEqual(['R']);
  // What nobody put on is what the writer says; of what was not there before, all is.
  unmarked.meta.security.push({ system: actCode, code: 'PSY' });
  expect(codes(withoutLabels(scan(JSON.stringify(unmarked)), { text, labels }).text)).toEqual(['R', 'PSY']);
  expect(codes(withoutLabels(scan(read), undefined).text)).toEqual(['R', 'HIV']);
  const bare = `{"resourceType":"Basic","id":"1","meta":{"tag":[{"code":"t"}]},"id2":1}`.replace(',"id2":1', '');
  const all = withLabels(`{"resourceType":"Basic","id":"1",${meta(',"tag":[{"code":"t"}]')}}`, label.hiv);
  expect(withoutLabels(scan(all), { text: bare, labels: label.hiv }).text).not.toContain('security');
});
