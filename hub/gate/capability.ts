/** The CapabilityStatement: what this server does, made from what it runs on. */
import { resourceTypes, searchParameters } from '@causeway/fhir';

const interactions = ['read', 'vread', 'update', 'delete', 'history-instance', 'history-type', 'create', 'search-type'];
const searchable = ['token', 'string', 'date', 'reference', 'quantity', 'number', 'uri'];
const written = '2026-11-22';

let cached: { base: string; text: string } | undefined;

/** FHIR R4 CapabilityStatement as JSON text. */
export function capabilityStatement(base: string): string {
  if (cached?.base === base) return cached.text;
  const statement = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: written,
    kind: 'instance',
    software: { name: 'Causeway' },
    implementation: { description: 'Causeway healthcare interoperability hub', url: base },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [
      {
        mode: 'server',
        security: { description: 'A session of the screens, or a bearer token.' },
        resource: resourceTypes().map((type) => ({
          type,
          interaction: interactions.map((code) => ({ code })),
          versioning: 'versioned-update',
          readHistory: true,
          updateCreate: true,
          conditionalCreate: true,
          conditionalUpdate: true,
          searchInclude: searchParameters(type)
            .filter((parameter) => parameter.type === 'reference')
            .map(({ code }) => `${type}:${code}`),
          searchParam: searchParameters(type)
            .filter((parameter) => searchable.includes(parameter.type))
            .map(({ code, type: kind }) => ({ name: code, type: kind })),
          ...(type === 'Patient'
            ? {
                operation: [
                  { name: 'everything', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything' },
                ],
              }
            : {}),
        })),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'history-system' }],
      },
    ],
  };
  cached = { base, text: JSON.stringify(statement) };
  return cached.text;
}
