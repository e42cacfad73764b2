import type { Conversion } from '@causeway/mapping';
import { describe, expect, it } from 'vitest';
import { checkLedger, reasonsOf } from './ledger-check.ts';
import { checkResources } from './resource-checks.ts';

const conversion: Conversion = {
  facts: [
    {
      resource: { resourceType: 'Patient', id: 'p1', name: [{ family: 'Okafor' }] },
      key: 'Patient|1',
      asOf: '2026-01-01T00:00:00Z',
      mode: 'merge',
    },
  ],
  identityEvents: [],
  ledger: [
    { source: 'PID[1]-5[1].1.1', disposition: 'mapped', target: 'Patient/p1#name[0].family' },
    { source: 'PID[1]-8[1].1.1', disposition: 'mapped', target: 'Patient/p1#gender' },
    { source: 'ZZZ[1]-1[1].1.1', disposition: 'kept' },
  ],
  issues: [],
};

describe('a ledger', () => {
  it('fails when it claims what is not there, and when it leaves an atom out', () => {
    const findings = checkLedger(
      [
        { path: 'PID[1]-5[1].1.1', value: 'Okafor' },
        { path: 'PID[1]-8[1].1.1', value: 'F' },
        { path: 'ZZZ[1]-1[1].1.1', value: 'anything' },
        { path: 'PID[1]-7[1].1.1', value: '19700101' },
      ],
      conversion,
    );
    expect(findings.untrue).toEqual(['PID[1]-8[1].1.1 → Patient#gender']);
    expect(findings.missing).toEqual(['PID[1]-7[1].1.1']);
    expect(findings.account).toMatchObject({ atoms: 4, accounted: 2, mapped: 1, kept: 1 });
    expect(reasonsOf(findings)).toHaveLength(2);
  });
});

describe('a part of a text', () => {
  const said = (part: readonly [number, number]): Conversion => ({
    ...conversion,
    ledger: [{ source: 'PID[1]-5[1].1.1', disposition: 'mapped', target: 'Patient/p1#name[0].family', part }],
  });
  it.each([
    ['Oka', [0, 3], []],
    ['for', [3, 6], []],
    ['for', [2, 5], ['PID[1]-5[1].1.1 → Patient#name[0].family']],
    ['for', [6, 9], ['PID[1]-5[1].1.1 → Patient#name[0].family']],
  ] as const)('%s stands where the ledger says, or is not there', (value, part, untrue) => {
    expect(checkLedger([{ path: 'PID[1]-5[1].1.1', value }], said(part)).untrue).toEqual(untrue);
  });
});

describe('resources of a conversion', () => {
  it('are held against R4, and their references against each other', () => {
    const { invalid, dangling } = checkResources({
      ...conversion,
      facts: [
        ...conversion.facts,
        {
          resource: {
            resourceType: 'Encounter',
            id: 'e1',
            status: 'finished',
            class: { code: 'AMB' },
            subject: { reference: 'Patient/p1' },
            serviceProvider: { reference: 'Organization/nowhere' },
          },
          key: 'Encounter|1',
          asOf: '2026-01-01T00:00:00Z',
          mode: 'merge',
        },
        {
          resource: { resourceType: 'Observation', id: 'o1', code: { text: 'x' } } as never,
          key: 'Observation|1',
          asOf: '2026-01-01T00:00:00Z',
          mode: 'replace',
        },
      ],
    });
    expect(dangling).toEqual(['Encounter.serviceProvider refers to nothing']);
    expect(invalid).toHaveLength(1);
    expect(invalid[0]).toContain('Observation.status');
  });
});
