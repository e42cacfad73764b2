import { isFhirError, scanResource } from '@causeway/fhir';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BundleReferences } from './bundle-references.ts';

const urn = 'urn:uuid:11111111-1111-4111-8111-111111111111';

function references(): BundleReferences {
  const made = new BundleReferences();
  made.add(urn, { type: 'Patient', id: 'new' });
  made.add('http://other.example/fhir/Patient/1', { type: 'Patient', id: 'p1' });
  made.addCondition('Patient', 'identifier=a|b&active=true', { type: 'Patient', id: 'found' });
  return made;
}

function relinked(resource: object): Record<string, unknown> {
  const scanned = scanResource(JSON.stringify(resource));
  if (isFhirError(scanned)) throw new Error(scanned.error);
  return JSON.parse(references().relinked(scanned, undefined).text);
}

describe('references of a bundle', () => {
  it.each([
    [urn, undefined, 'Patient/new'],
    [`${urn}/_history/3`, undefined, 'Patient/new/_history/7'],
    ['http://other.example/fhir/Patient/1', undefined, 'Patient/p1'],
    ['Patient/1', 'http://other.example/fhir/Observation/2', 'Patient/p1'],
    ['Patient/1', 'urn:uuid:22222222-2222-4222-8222-222222222222', undefined],
    ['Patient/1', undefined, undefined],
    ['Patient?active=true&identifier=a%7Cb', undefined, 'Patient/found'],
    ['Patient?active=false', undefined, undefined],
    ['#contained', undefined, undefined],
    ['urn:uuid:99999999-9999-4999-8999-999999999999', undefined, undefined],
  ])('%s in %s is %s', (reference, fullUrl, wanted) => {
    const all = references();
    all.useVersions(({ id }) => (id === 'new' ? 7 : undefined));
    expect(all.resolver(fullUrl)(reference)).toBe(wanted);
  });

  it('puts links right in uri elements and narratives, and leaves identifiers, canonicals and texts', () => {
    const resource = {
      resourceType: 'PlanDefinition',
      status: 'draft',
      url: urn,
      identifier: [{ system: urn, value: urn }],
      library: [urn],
      description: urn,
      relatedArtifact: [{ type: 'citation', url: urn, resource: urn }],
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><img src="${urn}"/>${urn}</div>` },
    };
    expect(relinked(resource)).toMatchObject({
      url: 'Patient/new',
      identifier: [{ system: 'Patient/new', value: urn }],
      library: [urn],
      description: urn,
      relatedArtifact: [{ url: 'Patient/new', resource: urn }],
      text: { div: `<div xmlns="http://www.w3.org/1999/xhtml"><img src="Patient/new"/>${urn}</div>` },
    });
  });

  it('leaves a resource without such links the text it had', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('url', 'text', 'value', 'code'), fc.string()), (more) => {
        const scanned = scanResource(JSON.stringify({ resourceType: 'Basic', ...more }));
        if (!isFhirError(scanned)) expect(references().relinked(scanned, undefined).text).toBe(scanned.text);
      }),
    );
  });
});
