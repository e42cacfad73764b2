import type { Observation, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { writeCcda } from './document.ts';
import { OPTIONS, PATIENT, record } from './sample.ts';
import { below, ofType, readBack, sectionOf, write } from './testing.ts';

describe('statements', () => {
  const subject = { reference: `Patient/${PATIENT.id}` };

  it('have the authors that their Provenance tells, with time and organization', () => {
    const authored: Resource = {
      resourceType: 'Provenance',
      target: [{ reference: 'Condition/7d1f0f5e-1111-4a11-8a11-000000000010' }],
      recorded: '2026-02-02T09:00:00-05:00',
      agent: [{ type: { coding: [{ code: 'author' }] }, who: { reference: 'Practitioner/doctor' } }],
    };
    const [observation] = below(sectionOf(write([...record(), authored]), '11450-4'), 'observation');
    const author = observation?.child('author');
    expect(author?.child('time')?.attr('value')).toBe('20260202090000-0500');
    expect(author?.find('assignedAuthor', 'id')?.attr('extension')).toBe('1234567893');
    expect(author?.find('assignedAuthor', 'assignedPerson', 'name', 'family')?.text).toBe('Ng');
  });

  it('of care plans tell what is still to be done', () => {
    const plan: Resource = {
      resourceType: 'CarePlan',
      id: 'plan',
      status: 'active',
      intent: 'plan',
      subject,
      category: [
        { coding: [{ system: 'http://snomed.info/sct', code: '736376001', display: 'Infectious disease care plan' }] },
      ],
      activity: [
        {
          detail: {
            status: 'in-progress',
            code: { coding: [{ system: 'http://snomed.info/sct', code: '385763009' }] },
          },
        },
        {
          detail: { status: 'completed', code: { coding: [{ system: 'http://snomed.info/sct', code: '423475008' }] } },
        },
      ],
    };
    const procedures = below(sectionOf(write([PATIENT, plan]), '18776-5'), 'procedure');
    expect(procedures.map((one) => one.child('code')?.attr('code'))).toEqual(['736376001', '385763009']);
    const [inner] = below(procedures[0]?.child('entryRelationship'), 'procedure');
    expect(inner?.child('code')?.attr('code')).toBe('385763009');
    expect(writeCcda([PATIENT, plan], OPTIONS).xml).not.toContain('423475008');
    const over: Resource = { ...plan, status: 'completed' };
    expect(writeCcda([PATIENT, over], OPTIONS).omitted).toEqual([
      { reference: 'CarePlan/plan', reason: 'no longer in force' },
    ]);
  });

  it('keep codes outside of a required value set as translations', () => {
    const positive: Observation = {
      resourceType: 'Observation',
      id: 'positive',
      status: 'final',
      subject,
      code: { coding: [{ system: 'http://loinc.org', code: '94500-6' }] },
      valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '260373001' }] },
      interpretation: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'POS' }] },
      ],
    };
    const [interpretation] = below(sectionOf(write([PATIENT, positive]), '30954-2'), 'interpretationCode');
    expect(interpretation?.attr('nullFlavor')).toBe('OTH');
    expect(interpretation?.child('translation')?.attr('code')).toBe('POS');
    const back = ofType<Observation>(readBack([PATIENT, positive]), 'Observation')[0];
    expect(back?.interpretation?.[0]?.coding?.[0]?.code).toBe('POS');
  });

  it('count what is given where a dose has no unit', () => {
    const dose = below(sectionOf(write(), '10160-0'), 'doseQuantity')[0];
    expect([dose?.attr('value'), dose?.attr('unit')]).toEqual(['1', undefined]);
  });
});

it('a planned procedure, medication or supply of several authors names the last, as C-CDA has it', () => {
  const subject = { reference: 'Patient/p' };
  const planned: Resource[] = [
    { resourceType: 'ServiceRequest', id: 's', status: 'active', intent: 'order', subject, code: { text: 'CBC' } },
    {
      resourceType: 'MedicationRequest',
      id: 'm',
      status: 'draft',
      intent: 'order',
      subject,
      medicationCodeableConcept: { text: 'Amoxicillin' },
    },
    {
      resourceType: 'DeviceRequest',
      id: 'd',
      status: 'active',
      intent: 'order',
      subject,
      codeCodeableConcept: { text: 'Crutch' },
    },
  ];
  const provenance = (id: string, name: string, recorded: string): Resource => ({
    resourceType: 'Provenance',
    id,
    recorded,
    target: planned.map((one) => ({ reference: `${one.resourceType}/${one.id}` })),
    agent: [{ who: { display: name } }],
  });
  const authored = [provenance('2', 'Later', '2026-02-02T00:00:00Z'), provenance('1', 'First', '2026-01-01T00:00:00Z')];
  const root = write([{ resourceType: 'Patient', id: 'p' }, ...planned, ...authored]);
  const entries = sectionOf(root, '18776-5')!.all('entry');
  expect(entries).toHaveLength(3);
  for (const entry of entries) {
    const names = below(entry, 'author').map((one) => one.allText);
    expect(names).toHaveLength(1);
    expect(names[0]).toContain('Later');
  }
});
