import { describe, expect, it } from 'vitest';
import { parseCda, parseCdaHead } from './document.ts';

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3" extension="D1"/><title>Übersicht</title>
<recordTarget><patientRole><id root="1.2.4" extension="M1"/></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.5"/></representedCustodianOrganization></assignedCustodian></custodian>`;
const BODY = `<component><structuredBody><component><section><text>${'<paragraph>é</paragraph>'.repeat(40_000)}`;

describe('parseCdaHead', () => {
  it('reads the header of a large document, and nothing of what follows', () => {
    // The body is not even closed.
    const parsed = parseCdaHead(Buffer.from(HEAD + BODY));
    expect(parsed.ok && parsed.document.header).toMatchObject({
      id: { root: '1.2.3', extension: 'D1' },
      title: 'Übersicht',
    });
    expect(parsed.ok && parsed.document.header?.recordTargets[0]?.find('patientRole', 'id')?.attr('extension')).toBe(
      'M1',
    );
    expect(parseCda(HEAD + BODY).ok).toBe(false);
  });

  it('reads a small document whole, and says what is wrong in it', () => {
    const parsed = parseCdaHead(Buffer.from(`${HEAD}<component><structuredBody>`));
    expect(parsed).toMatchObject({ ok: false, error: { code: 'malformed' } });
  });

  it('says what is wrong in the header of a large document', () => {
    const parsed = parseCdaHead(Buffer.from(HEAD.replace('<title>', '<title x>') + BODY));
    expect(parsed).toMatchObject({ ok: false, error: { code: 'malformed' } });
  });

  it('takes a large fragment by its first section or statement', () => {
    const fragment = `<section xmlns="urn:hl7-org:v3"><text>${'<paragraph>x</paragraph>'.repeat(20_000)}`;
    const parsed = parseCdaHead(Buffer.from(fragment));
    expect(parsed.ok && parsed.document.sections).toHaveLength(1);
    const none = `<a xmlns="urn:hl7-org:v3">${'<b/>'.repeat(100_000)}`;
    const other = parseCdaHead(Buffer.from(none));
    expect(other.ok && [other.document.header, other.document.sections.length]).toEqual([undefined, 0]);
  });

  it('takes a header behind a body, as far as it looks', () => {
    const late = HEAD.replace(
      '<recordTarget>',
      `<component><nonXMLBody><text>AAAA</text></nonXMLBody></component><recordTarget>`,
    );
    const parsed = parseCdaHead(Buffer.from(`${late}${BODY}`));
    expect(parsed.ok && parsed.document.header?.recordTargets).toHaveLength(1);
  });

  it('looks at no more of the beginning when a character lies across its end', () => {
    for (const shift of [0, 1, 2, 3]) {
      const parsed = parseCdaHead(Buffer.from(`${HEAD}<!--${'x'.repeat(shift)}${'ü€'.repeat(100_000)}-->${BODY}`));
      expect(parsed.ok && parsed.document.header?.title).toBe('Übersicht');
    }
  });
});
