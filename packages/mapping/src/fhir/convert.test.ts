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

describe('a deletion', () => {
  it('withdraws what the site said of it, at the time at which it says so', () => {
    const conversion = convertFhir(bundle({ request: { method: 'DELETE', url: 'Observation/9' } }), context);
    expect(conversion).toMatchObject({
      facts: [
        {
          resource: { resourceType: 'Observation', id: factId('pharmacy', 'Observation', '9') },
          mode: 'withdraw',
          asOf: '2026-01-01T00:00:00Z',
        },
      ],
      ledger: [{ disposition: 'consumed' }],
      issues: [],
    });
  });
});

describe('what another hub answered', () => {
  const base = 'https://hub.example/fhir';
  const answer = (...resources: { resourceType: string; id?: string; [element: string]: unknown }[]) =>
    JSON.stringify({
      resourceType: 'Bundle',
      meta: { tag: [{ system: 'urn:causeway:network', code: 'answer' }] },
      type: 'searchset',
      entry: resources.map((resource) => ({
        fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
        resource,
        search: { mode: resource.resourceType === 'OperationOutcome' ? 'outcome' : 'match' },
      })),
    });
  const converted = (text: string) => {
    const conversion = convertFhir(text, { ...context, source: 'neighbour' });
    if (typeof conversion === 'string') throw new Error(conversion);
    return conversion;
  };
  const lab = { system: 'urn:causeway:source', code: 'ellery-lab', display: 'Ellery Reference Laboratory' };

  it('is known by its ids there, and says at which address it was read and who stated it', () => {
    const { facts } = converted(
      answer(
        {
          resourceType: 'Patient',
          id: 'p',
          identifier: [{ system: 's', value: '1' }],
          link: [{ other: { reference: 'Patient/q' }, type: 'seealso' }],
        },
        {
          resourceType: 'Observation',
          id: 'o',
          meta: { versionId: '3', lastUpdated: '2026-01-01T10:00:00Z', tag: [lab] },
          status: 'final',
          code: { text: 'x' },
          subject: { reference: 'Patient/p' },
        },
      ),
    );
    const [patient, observation] = facts.map(({ resource }) => resource);
    expect(patient!.id).toBe(factId('neighbour', 'Patient', 'p'));
    expect(patient).not.toHaveProperty('link');
    expect(observation).toMatchObject({
      id: factId('neighbour', 'Observation', 'o'),
      subject: { reference: `Patient/${patient!.id}` },
      meta: {
        tag: [
          { ...lab, system: 'urn:causeway:origin-organization' },
          { system: 'urn:causeway:origin', code: `${base}/Observation/o/_history/3` },
        ],
      },
    });
    expect(facts[1]!.asOf).toBe('2026-01-01T10:00:00Z');
  });

  it('is not taken where a hub told it to that hub, or where it tells of the answer', () => {
    const { facts, ledger } = converted(
      answer(
        { resourceType: 'Patient', id: 'p', meta: { tag: [{ system: 'urn:causeway:origin', code: `${base}/x` }] } },
        { resourceType: 'OperationOutcome', id: 'w', issue: [] },
      ),
    );
    expect(facts).toEqual([]);
    expect(ledger.map(({ disposition }) => disposition)).toEqual(['rejected', 'rejected']);
  });

  it('keeps the labels that the other hub put on as its own words, and its attachments lead to what came with them', () => {
    const security = {
      system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
      code: '42CFRPart2',
      extension: [
        {
          url: 'http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-classifier',
          valueReference: { display: 'Causeway' },
        },
      ],
    };
    const { facts } = converted(
      answer({
        resourceType: 'DocumentReference',
        id: 'd',
        meta: { security: [security] },
        status: 'current',
        content: [{ attachment: { url: 'Binary/b' } }],
      }),
    );
    expect(facts[0]!.resource).toMatchObject({
      meta: { security: [{ system: security.system, code: security.code }] },
      content: [{ attachment: { url: `Binary/${factId('neighbour', 'Binary', 'b')}` } }],
    });
    expect(JSON.stringify(facts[0]!.resource)).not.toContain('classifier');
  });
});
