import { executeGraphql } from '@causeway/graphql';

const resources = [
  { resourceType: 'Patient', id: 'p1', name: [{ use: 'official', family: 'Okafor', given: ['Ngozi'] }] },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { text: 'Body weight' },
    subject: { reference: 'Patient/p1' },
    valueQuantity: { value: 61, unit: 'kg' },
  },
];

export const answer = await executeGraphql(
  {
    query: `query ($code: String) {
      ObservationList(code: $code) {
        valueQuantity @flatten { value unit }
        subject { resource { ... on Patient { name(use: official) { family } } } }
      }
    }`,
    variables: { code: 'http://loinc.org|29463-7' },
  },
  {
    read: async (type, id) => resources.find((one) => one.resourceType === type && one.id === id),
    search: async (type) => ({
      entries: resources.filter(({ resourceType }) => resourceType === type).map((resource) => ({ resource })),
    }),
  },
);
