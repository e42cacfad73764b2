import { parseCda } from '@causeway/ccda';
import { convertCcda } from '@causeway/mapping';
import { describe, expect, it } from 'vitest';
import { documentAtoms, entryCodes } from './atoms.ts';
import { decoded, readMarkup } from './markup.ts';
import { isCdaFile } from './suite.ts';

const SECTION = `<?xml version="1.0"?>
<!-- <entry/> in a comment -->
<section xmlns:x="urn:hl7-org:sdtc">
  <code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/>
  <text><paragraph ID="p1">Asthma &amp; cough</paragraph></text>
  <entry><observation classCode="OBS" moodCode="EVN">
    <id root="2.999.1"/><id root="2.999.2"/>
    <code code="55607006" codeSystem="2.16.840.1.113883.6.96"/>
    <value xsi:type="CD" code="195967001" codeSystem="2.16.840.1.113883.6.96"><originalText><![CDATA[<Asthma>]]></originalText></value>
    <x:text/>
  </observation></entry>
</section>`;

describe('markup read by scanning', () => {
  const root = readMarkup(SECTION)!;

  it('gives the atoms of the ledger, each once', () => {
    const parsed = parseCda(SECTION);
    if (!parsed.ok) throw new Error(parsed.error.message);
    const { ledger } = convertCcda(parsed.document, {
      source: 's',
      receivedAt: '2026-01-01T00:00:00Z',
      messageUri: 'u',
    });
    expect(documentAtoms(root).map(({ path }) => path)).toEqual(ledger.map(({ source }) => source));
  });

  it('tells codes of entries from codes of sections', () => {
    expect(entryCodes(root).map(({ code }) => code)).toEqual(['55607006', '195967001']);
  });

  it('knows encodings by mark and declaration', () => {
    expect(decoded(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a b="\xe9"/>', 'latin1'))).toContain('é');
    expect(decoded(Buffer.from('\uFEFF<a/>', 'utf16le'))).toContain('<a/>');
  });
});

describe('files of documents', () => {
  it('are known by the namespace of their root', () => {
    const file = (id: string, text: string) => isCdaFile({ id, bytes: Buffer.from(text) });
    expect(file('a.xml', '<ClinicalDocument xmlns="urn:hl7-org:v3"/>')).toBe(true);
    expect(file('a.xml', SECTION)).toBe(true);
    expect(file('a.xml', '<Patient xmlns="http://hl7.org/fhir"/>')).toBe(false);
    expect(file('a.xsl', '<section/>')).toBe(false);
  });
});
