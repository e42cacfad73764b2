import { describe, expect, it } from 'vitest';
import { FhirAddresses } from './fhir-addresses.ts';

function addresses(): FhirAddresses {
  const made = new FhirAddresses();
  made.add(['GET', 'HEAD'], '/fhir/metadata');
  made.add(['GET', 'HEAD'], '/fhir');
  made.add('POST', '/fhir');
  made.add(['GET', 'HEAD'], '/fhir/:type');
  made.add('POST', '/fhir/:type');
  made.add('GET', '/fhir/:type/:id');
  made.add('PUT', '/fhir/:type/:id');
  made.add('GET', '/fhir/:type/:id/_history');
  made.add('GET', '/fhir/Patient/:id/$everything');
  made.add('POST', '/fhir/$graphql');
  made.add('GET', '/api/status');
  return made;
}

describe('the registered addresses', () => {
  it.each([
    ['/fhir', ['GET', 'HEAD', 'POST']],
    ['/fhir/', ['GET', 'HEAD', 'POST']],
    ['/fhir/metadata', ['GET', 'HEAD']],
    ['/fhir/Patient?x=1', ['GET', 'HEAD', 'POST']],
    ['/fhir/Patient/1', ['GET', 'PUT']],
    ['/fhir/Patient/1/_history', ['GET']],
    ['/fhir/Patient/1/$everything', ['GET']],
    ['/fhir/Patient/_search', []],
    ['/fhir/Patient/$everything', []],
    ['/fhir/Patient/1/2/3', []],
  ])('%s takes %j', (path, methods) => {
    expect(addresses().methodsOf(path)).toEqual(methods);
  });

  it('name the operations with their level and type', () => {
    expect(addresses().operations()).toEqual([
      { name: 'everything', level: 'instance', type: 'Patient' },
      { name: 'graphql', level: 'system', type: undefined },
    ]);
    expect(addresses().has('PUT', '/fhir/:type/:id')).toBe(true);
    expect(addresses().has('PATCH', '/fhir/:type/:id')).toBe(false);
  });

  it.each([
    ['DELETE', '/fhir/Patient/1', 405, 'GET, PUT'],
    ['GET', '/fhir/$graphql', 405, 'POST'],
    ['GET', '/fhir/Nonsense/1', 404, undefined],
    ['GET', '/fhir/Patient/1/$nonsense', 404, undefined],
    ['GET', '/fhir/Patient/1/2/3', 404, undefined],
  ])('refuse %s %s with %i', (method, path, status, allow) => {
    const error = addresses().refusal(method, path);
    expect([error.status, error.headers.allow]).toEqual([status, allow]);
    expect(error.message).toMatch(/^[A-Z].*\.$/);
  });
});
