/** The shape of what each site sends: HL7 v2 segments, well-formed C-CDA, FHIR transaction Bundles. */

import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { messages } from './index.ts';

const all = [...messages({ people: 120 })];
const of = (dialect: string) => all.filter((message) => message.dialect === dialect);

describe('HL7 v2', () => {
  const ALLOWED = new Set(
    'MSH EVN PID PD1 ROL NK1 PV1 AL1 DG1 PR1 IN1 MRG ORC OBR OBX NTE TXA SCH RGS AIS AIP AIL'.split(' '),
  );

  test('every segment is known, ends with a carriage return, and MSH says what the message is', () => {
    for (const { body, type, controlId, site } of of('hl7v2')) {
      expect(body.endsWith('\r')).toBe(true);
      expect(body.includes('\n')).toBe(false);
      const segments = body.slice(0, -1).split('\r');
      for (const segment of segments) expect(ALLOWED.has(segment.slice(0, 3))).toBe(true);
      const fields = segments[0]!.split('|');
      expect(fields[8]!.startsWith(type)).toBe(true);
      expect(fields[9]).toBe(controlId);
      expect(controlId.length).toBeLessThanOrEqual(20);
      expect(fields[11]).toBe(site === 'ellery-lab' ? '2.3.1' : '2.5.1');
      expect(segments.filter((segment) => segment.startsWith('PID'))).toHaveLength(1);
    }
  });

  test('a result carries order, test, value, unit, range, flag and status', () => {
    for (const { body } of all.filter((message) => message.type === 'ORU^R01')) {
      const segments = body.split('\r');
      const observations = segments.filter((segment) => segment.startsWith('OBX'));
      expect(observations.length).toBeGreaterThan(0);
      expect(segments.find((segment) => segment.startsWith('OBR'))!.split('|')[25]).toMatch(/^[PFC]$/);
      for (const observation of observations) {
        const fields = observation.split('|');
        expect(fields[2]).toBe('NM');
        expect(fields[5]).toMatch(/^\d+(\.\d+)?$/);
        expect(fields[11]).toMatch(/^[PFCWD]$/);
      }
    }
  });

  test('nothing is told of a person whom nobody could name', () => {
    const unnamed = of('hl7v2').filter(
      (message) => /\|DOE\^J[^|]*\|\|\|/.test(message.body) && message.type !== 'ADT^A40',
    );
    expect(unnamed.length).toBeGreaterThan(0);
    for (const { body } of unnamed) expect(body).not.toMatch(/\r(AL1|NK1|IN1|PD1)\|/);
  });
});

describe('C-CDA', () => {
  const SECTIONS = ['48765-2', '10160-0', '11450-4', '30954-2', '8716-3', '11369-6', '47519-4', '46240-8', '29762-2'];

  test('documents are well-formed, references point into the narrative, ids in it are unique', () => {
    for (const { body } of of('ccda').slice(0, 150)) {
      const ids: string[] = [];
      const references: string[] = [];
      const parser = new SaxesParser({ xmlns: true });
      parser.on('error', (error) => {
        throw error;
      });
      parser.on('opentag', (tag) => {
        const id = tag.attributes.ID?.value;
        if (id !== undefined) ids.push(id);
        if (tag.local === 'reference') references.push(tag.attributes.value!.value.slice(1));
      });
      parser.write(body).close();
      expect(new Set(ids).size).toBe(ids.length);
      expect(references.filter((reference) => !ids.includes(reference))).toEqual([]);
    }
  });

  test('a CCD has its nine coded sections, a referral note its reason', () => {
    for (const { body, type } of of('ccda')) {
      if (type === 'CCD')
        for (const code of SECTIONS)
          expect(body).toContain(`<code code="${code}" codeSystem="2.16.840.1.113883.6.1"/>`);
      else expect(body).toContain('<code code="42349-1"');
    }
  });
});

describe('FHIR', () => {
  interface Entry {
    fullUrl: string;
    resource: { resourceType: string; id: string };
    request: { method: string; url: string };
  }

  test('a bundle is a transaction of PUTs about one Patient, whose references resolve in it', () => {
    for (const { body, controlId } of of('fhir')) {
      const bundle = JSON.parse(body) as { type: string; identifier: { value: string }; entry: Entry[] };
      expect(bundle.type).toBe('transaction');
      expect(bundle.identifier.value).toBe(controlId);
      const urls = bundle.entry.map(({ resource }) => `${resource.resourceType}/${resource.id}`);
      expect(new Set(urls).size).toBe(urls.length);
      expect(urls.filter((url) => url.startsWith('Patient/'))).toHaveLength(1);
      for (const [index, { request }] of bundle.entry.entries())
        expect(request).toEqual({ method: 'PUT', url: urls[index] });
      for (const [, reference] of body.matchAll(/"reference":"([^"]+)"/g)) expect(urls).toContain(reference);
    }
  });
});
