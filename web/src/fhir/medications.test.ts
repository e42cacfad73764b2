import type { MedicationDispense, MedicationRequest, MedicationStatement, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { mergeMedications, plainProduct } from './medications.ts';
import { readRecord } from './record.ts';

const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';

function from(source: string): Resource['meta'] {
  return { tag: [{ system: 'urn:causeway:source', code: source, display: source }] };
}

function statement(id: string, text: string, more: Partial<MedicationStatement> = {}): MedicationStatement {
  return {
    resourceType: 'MedicationStatement',
    id,
    meta: from('practice'),
    status: 'active',
    subject: {},
    medicationCodeableConcept: { text },
    ...more,
  };
}

const merged = (...resources: Resource[]) => mergeMedications(readRecord(resources, 'p'));

describe('medications merged over sources', () => {
  it('one drug in three sources is one line, by code and by plain product', () => {
    const coding = [{ system: RXNORM, code: '860975' }];
    const dispense: MedicationDispense = {
      resourceType: 'MedicationDispense',
      id: 'd',
      meta: from('pharmacy'),
      status: 'completed',
      medicationCodeableConcept: { text: 'metFORMIN HCl 500', coding },
      whenHandedOver: '2026-05-01',
    };
    const request: MedicationRequest = {
      resourceType: 'MedicationRequest',
      id: 'r',
      meta: from('hospital'),
      status: 'active',
      intent: 'order',
      subject: {},
      medicationCodeableConcept: { text: 'Metformin 500mg tab' },
    };
    const own = statement('s', 'metformin 500 MG Oral Tablet', {
      medicationCodeableConcept: { text: 'metformin 500 MG Oral Tablet', coding },
    });
    const lines = merged(dispense, request, own);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ standing: 'current', lastDispensed: '2026-05-01' });
    expect(lines[0]!.uses).toHaveLength(3);
  });

  it('keeps strengths, release forms, routes and combinations apart', () => {
    const names = [
      'Metformin 500 mg tablet',
      'Metformin 850 mg tablet',
      'Metformin ER 500 mg tablet',
      'Lisinopril 10 mg / hydrochlorothiazide 12.5 mg tablet',
      'Lisinopril 10 mg tablet',
      'Methotrexate 10 mg injection',
      'Methotrexate 10 mg tablet',
    ];
    expect(merged(...names.map((name, at) => statement(`${at}`, name)))).toHaveLength(names.length);
    expect(plainProduct('Lisinopril 10 mg / hydrochlorothiazide 12.5 mg')).toBeUndefined();
  });

  it('tells that one source stopped what another has current, and how doses differ', () => {
    const dose = (value: number) => ({
      dosage: [
        {
          timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' as const } },
          doseAndRate: [{ doseQuantity: { value } }],
        },
      ],
    });
    const lines = merged(
      statement('a', 'Warfarin 5 mg tablet', dose(1)),
      statement('b', 'Warfarin 5 mg tablet', { ...dose(2), meta: from('hospital') }),
      statement('c', 'Warfarin 5 mg tablet', { status: 'stopped', meta: from('clinic') }),
    );
    expect(lines[0]!.standing).toBe('current');
    expect(lines[0]!.disagreements).toHaveLength(2);
    expect(lines[0]!.dosage).toContain('once a day');
  });

  it('an older order of the same source is no disagreement, and what is entered in error is gone', () => {
    const lines = merged(
      statement('a', 'Aspirin 81 mg tablet', { dateAsserted: '2026-01-01' }),
      statement('b', 'Aspirin 81 mg tablet', { dateAsserted: '2020-01-01', status: 'stopped' }),
      statement('c', 'Insulin', { status: 'entered-in-error' }),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ standing: 'current', disagreements: [] });
  });
});
