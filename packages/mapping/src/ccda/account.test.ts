import { parseCda, type XmlElement } from '@causeway/ccda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Conversion } from '../conversion.ts';
import { convert, documentOf, LOINC, SNOMED_CT, sectionOf } from './sample.ts';

const RICH = documentOf(
  sectionOf(
    '11450-4',
    `<act classCode="ACT" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.3"/><id root="1.2.826.9" extension="C"/>
      <code code="CONC" codeSystem="2.16.840.1.113883.5.6"/><statusCode code="active"/>
      <entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">
        <templateId root="2.16.840.1.113883.10.20.22.4.4"/><id root="1.2.826.9" extension="P"/>
        <code code="64572001" codeSystem="${SNOMED_CT}"><translation code="75323-6" codeSystem="${LOINC}"/></code>
        <statusCode code="completed"/><effectiveTime><low value="2019"/><high nullFlavor="NI"/></effectiveTime>
        <value xsi:type="CD" code="73211009" codeSystem="${SNOMED_CT}"><qualifier><name code="1" codeSystem="${SNOMED_CT}"/><value code="2" codeSystem="${SNOMED_CT}"/></qualifier></value>
        <author><time value="2020"/><assignedAuthor><id nullFlavor="NI"/></assignedAuthor></author>
      </observation></entryRelationship></act>`,
  ) +
    sectionOf(
      '10160-0',
      `<substanceAdministration classCode="SBADM" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.16"/>
        <id root="1.2.826.9" extension="M"/><statusCode code="active"/>
        <effectiveTime xsi:type="IVL_TS"><low value="20230101"/></effectiveTime>
        <effectiveTime xsi:type="PIVL_TS" operator="A"><period value="8" unit="h"/></effectiveTime>
        <routeCode code="C38288" codeSystem="2.16.840.1.113883.3.26.1.1"/><doseQuantity value="2" unit="{tbl}"/>
        <consumable><manufacturedProduct><manufacturedMaterial><code code="197806" codeSystem="2.16.840.1.113883.6.88"/></manufacturedMaterial></manufacturedProduct></consumable>
      </substanceAdministration>`,
    ),
);

/** Every atom of the document by its XPath; a section's narrative is one. */
function atomsOf(xml: string): Map<string, string> {
  const parsed = parseCda(xml);
  if (!parsed.ok) throw new Error(parsed.error.message);
  const atoms = new Map<string, string>();
  const walk = (element: XmlElement): void => {
    if (element.name === 'text' && element.parent?.name === 'section') {
      atoms.set(element.path, element.allText);
      return;
    }
    for (const { name, value } of element.attributes)
      if (value.trim() !== '') atoms.set(`${element.path}/@${name}`, value);
    if (element.text !== '') atoms.set(`${element.path}/text()`, element.text);
    for (const child of element.children) walk(child);
  };
  walk(parsed.document.xml.root);
  return atoms;
}

function expectWhole(xml: string, conversion: Conversion): void {
  expect(conversion.ledger.map((entry) => entry.source)).toEqual([...atomsOf(xml).keys()]);
  const ids = new Set(conversion.facts.map(({ resource }) => `${resource.resourceType}/${resource.id}`));
  expect(ids.size).toBe(conversion.facts.length);
  const references: string[] = [];
  JSON.stringify(conversion.facts, (key, value) => {
    if (key === 'reference' && typeof value === 'string') references.push(value);
    return value;
  });
  expect(references.filter((reference) => !ids.has(reference))).toEqual([]);
  for (const { target } of conversion.ledger) if (target) expect(ids).toContain(target.replace(/#.*/, ''));
}

/** Takes a document apart at its tags and spoils one place. */
function spoil(xml: string, kind: number, at: number): string {
  const elements = [...xml.matchAll(/<([A-Za-z:]+)([^<>]*)\/>/g)];
  const { 0: markup, index } = elements[at % elements.length]!;
  const put = (text: string): string => xml.slice(0, index) + text + xml.slice(index + markup.length);
  switch (kind) {
    case 0:
      return put('');
    case 1:
      return put(markup + markup);
    case 2:
      return put(markup.replace(/="[^"]*"/, '="&lt;?&quot;"'));
    case 3:
      return put(markup.replace(/="[^"]*"/g, '=""'));
    case 4:
      return put(
        /nullFlavor|negationInd/.test(markup) ? '' : markup.replace('/>', ' nullFlavor="UNK" negationInd="true"/>'),
      );
    default:
      return put(markup.replace(/<[A-Za-z:]+/, '<observation'));
  }
}

describe('the ledger', () => {
  it('holds every atom once, in document order, and no reference dangles', () => {
    expectWhole(RICH, convert(RICH));
  });

  it('says "mapped" only of what is in the output', () => {
    const { facts, ledger } = convert(RICH);
    const atoms = atomsOf(RICH);
    const everything = JSON.stringify(facts);
    for (const { source, disposition, target } of ledger) {
      if (disposition !== 'mapped') continue;
      const value = atoms.get(source)!;
      if (/codeSystem|root$/.test(source) || /@value$/.test(source)) expect(target).toBeDefined();
      else expect(everything, source).toContain(value);
    }
  });

  it('stays whole for spoilt documents', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(200)), { minLength: 1, maxLength: 4 }), (changes) => {
        const xml = changes.reduce((text, [kind, at]) => spoil(text, kind, at), RICH);
        expectWhole(xml, convert(xml));
      }),
      { numRuns: 150 },
    );
  });
});
