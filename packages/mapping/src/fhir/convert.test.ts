import { describe, expect, it } from 'vitest';
import { factId } from '../fact-id.ts';
import { convertFhir } from './convert.ts';

const context = { source: 'pharmacy', receivedAt: '2026-01-02T03:04:05Z', messageUri: 'urn:causeway:message:1' };

function bundle(...entry: object[]): string {
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', timestamp: '2026-01-01T00:00:00Z', entry });
}

describe('convertFhir', () => {
  it('makes ids the hub’s own and lets references follow', () => {
    const conversion = convertFhir(
      bundle(
        {
          resource: {
            resourceType: 'Observation',
            status: 'final',
            code: { text: 'x' },
            subject: { reference: 'urn:uuid:p' },
          },
        },
        { fullUrl: 'urn:uuid:p', resource: { resourceType: 'Patient' }, request: { method: 'PUT', url: 'Patient/7' } },
      ),
      context,
    );
    if (typeof conversion === 'string') throw new Error(conversion);
    const [patient, observation] = conversion.facts.map(({ resource }) => resource);
    expect(patient).toMatchObject({ resourceType: 'Patient', id: factId('pharmacy', 'Patient', '7') });
    expect(observation).toMatchObject({ subject: { reference: `Patient/${patient!.id}` } });
    expect(conversion.facts[0]!.asOf).toBe('2026-01-01T00:00:00Z');
  });

  it('takes for said when it was received what is said at no time', () => {
    for (const lastUpdated of ['yesterday', '2026-02-30T99:00:00Z', '2026-13', { when: 1 }, 5, '']) {
      const conversion = convertFhir(bundle({ resource: { resourceType: 'Patient', meta: { lastUpdated } } }), context);
      if (typeof conversion === 'string') throw new Error(conversion);
      expect(conversion.facts[0]!.asOf).toBe(context.receivedAt);
      expect(conversion.issues.map(({ code, source }) => [code, source])).toEqual([['value', 'Bundle.entry[0]']]);
    }
  });

  it('gives the same fact the same id whichever Bundle states it, and another site’s another', () => {
    const one = bundle({
      resource: { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] },
      request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=s|1' },
    });
    const ids = ['pharmacy', 'pharmacy', 'clinic'].map((source) => {
      const conversion = convertFhir(one, { ...context, source });
      return typeof conversion === 'string' ? conversion : conversion.facts[0]!.resource.id;
    });
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('refers to resources the site sent in other Bundles', () => {
    const conversion = convertFhir(
      bundle({
        resource: { resourceType: 'Flag', subject: { reference: 'Patient/7' } },
        request: { method: 'PUT', url: 'Flag/1' },
      }),
      context,
    );
    if (typeof conversion === 'string') throw new Error(conversion);
    expect(conversion.facts[0]!.resource).toMatchObject({
      subject: { reference: `Patient/${factId('pharmacy', 'Patient', '7')}` },
    });
  });

  it('takes no definition from a site, by which the whole hub would go', () => {
    const resource = { resourceType: 'SearchParameter', url: 'urn:x', status: 'active', code: 'x' };
    const conversion = convertFhir(bundle({ resource, request: { method: 'PUT', url: 'SearchParameter/1' } }), context);
    expect(conversion).toMatchObject({
      facts: [],
      ledger: [{ source: 'Bundle.entry[0]', disposition: 'rejected' }],
      issues: [{ code: 'not-supported' }],
    });
  });

  it('lists what states nothing, and says what is wrong with what is no Bundle', () => {
    const conversion = convertFhir(bundle({ request: { method: 'DELETE', url: 'Patient/7' } }), context);
    expect(conversion).toMatchObject({ facts: [], ledger: [{ disposition: 'rejected' }] });
    expect(convertFhir('{"resourceType":', context)).toMatch(/^Line 1/);
  });
});
