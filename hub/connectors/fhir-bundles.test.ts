import { expect, it } from 'vitest';
import { bundlesOf } from './fhir-bundles.ts';

const at = new Date('2026-03-01T10:00:00Z');
const patient = 'p';
const id = (id: string) => ({ resourceType: 'Observation', id });
const bundles = (...resources: Parameters<typeof bundlesOf>[2]) =>
  bundlesOf('oak', 'https://oak.example/fhir', resources, at).map(({ bytes, lane }) => ({
    lane,
    ...JSON.parse(bytes.toString()),
  }));

it('says when each deletion was, and of those of which it is not known that it was within the second', () => {
  const deleted = new Date('2026-03-01T09:59:59.400Z');
  const found = bundles({ resource: id('a'), patient, deleted }, { resource: id('b'), patient });
  expect(found).toMatchObject([
    { lane: 'oak p', timestamp: '2026-03-01T09:59:59.400Z', entry: [{ request: { url: 'Observation/a' } }] },
    { lane: 'oak p', timestamp: '2026-03-01T10:00:00.999Z', entry: [{ request: { url: 'Observation/b' } }] },
  ]);
});

it('leaves what says its own time to that', () => {
  const resource = { ...id('a'), meta: { lastUpdated: '2026-02-01T00:00:00Z' }, subject: { reference: 'Patient/p' } };
  const [bundle] = bundles({ resource, text: JSON.stringify(resource) });
  expect(bundle).toMatchObject({ lane: 'oak p', entry: [{ request: { method: 'PUT' }, resource: { id: 'a' } }] });
  expect(bundle.timestamp).toBeUndefined();
});
