import { parseCda } from '@causeway/ccda';
import type { MedicationRequest, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { convertCcda } from '../../ccda/convert.ts';
import { writeCcda } from './document.ts';
import { OPTIONS, PATIENT } from './sample.ts';

const order: MedicationRequest = {
  resourceType: 'MedicationRequest',
  id: 'rx-refills',
  status: 'active',
  intent: 'order',
  subject: { reference: `Patient/${PATIENT.id}` },
  medicationCodeableConcept: {
    coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '197806' }],
  },
  dispenseRequest: { numberOfRepeatsAllowed: 2, quantity: { value: 30 } },
};

describe('how often an order may be filled', () => {
  const { xml } = writeCcda([PATIENT, order], OPTIONS);

  it('counts the first time in CDA', () => expect(xml).toContain('<repeatNumber value="3"'));

  it('comes back as FHIR counts it', () => {
    const parsed = parseCda(xml);
    if (!parsed.ok) throw new Error(parsed.error.message);
    const context = { source: 'test', receivedAt: '2026-03-06T00:00:00Z', messageUri: 'urn:causeway:message:1' };
    const read: Resource[] = convertCcda(parsed.document, context).facts.map(({ resource }) => resource);
    const repeats = read.flatMap((one) =>
      one.resourceType === 'MedicationRequest' ? (one.dispenseRequest?.numberOfRepeatsAllowed ?? []) : [],
    );
    expect(repeats).toEqual([2]);
  });
});
