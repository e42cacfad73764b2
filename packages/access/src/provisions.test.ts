import { expect, it } from 'vitest';
import { readConsent } from './index.ts';

const patient = { reference: 'Patient/p' };
const faults = (provision: object, more: object = {}) => {
  const read = readConsent({ resourceType: 'Consent', patient, provision, ...more }, 'UTC');
  return 'unreadable' in read ? read.unreadable : [];
};

it('reads what it can hold against a row, and says of all else what it cannot', () => {
  const codes = (code: string, system?: string) => [{ coding: [{ ...(system ? { system } : {}), code }] }];
  const good = {
    type: 'deny',
    period: { start: '2020', end: '2030-01' },
    actor: [{ role: {}, reference: { reference: 'https://hub.example/fhir/Organization/o1' } }],
    action: codes('access', 'http://terminology.hl7.org/CodeSystem/consentaction'),
    purpose: [{ code: 'TREAT' }],
    securityLabel: [{ code: 'PSY' }],
    class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Condition' }],
    code: codes('I10', 'http://hl7.org/fhir/sid/icd-10-cm'),
    dataPeriod: { start: '2020' },
    data: [{ meaning: 'instance', reference: { reference: 'Condition/c' } }],
    provision: [{ type: 'permit', data: [{ meaning: 'authoredby', reference: { reference: 'Organization/o1' } }] }],
  };
  expect(faults(good)).toEqual([]);
  const bad: [object, RegExp][] = [
    [{}, /neither permit nor deny/],
    [{ ...good, provision: [{}] }, /provision\[0\]\.type must be/],
    [{ ...good, period: { start: '2020-02-30' } }, /period/],
    [{ ...good, period: { start: '2021', end: '2020' } }, /period ends before/],
    [{ ...good, actor: [{ role: {} }] }, /actor must have/],
    [{ ...good, actor: [] }, /actor must be a list of something/],
    [{ ...good, action: [...codes('correct'), { text: 'look at it' }] }, /action has a code/],
    [{ ...good, code: [...good.code, { text: 'cough' }] }, /system and code/],
    [{ ...good, dataPeriod: { start: '2021-02', end: '2021-01' } }, /dataPeriod ends before/],
    [{ ...good, action: codes('erase') }, /action has a code/],
    [{ ...good, purpose: [{ system: 'http://example.org', code: 'TREAT' }] }, /purpose/],
    [{ ...good, securityLabel: [{ code: 'NOSUCH' }] }, /NOSUCH/],
    [{ ...good, class: [{ system: 'urn:x', code: 'Condition' }] }, /class/],
    [{ ...good, code: codes('I10') }, /system and code/],
    [{ ...good, dataPeriod: { end: '2020-13' } }, /dataPeriod/],
    [{ ...good, data: [{ meaning: 'related', reference: { reference: 'Condition/c' } }] }, /one meaning/],
    [{ ...good, data: [{ meaning: 'authoredby', reference: { reference: 'Practitioner/x' } }] }, /organisations only/],
    [
      { ...good, data: [{ meaning: 'authoredby', reference: { reference: 'https://x/Practitioner/x' } }] },
      /organisations/,
    ],
    [{ ...good, modifierExtension: [{ url: 'urn:x' }] }, /modifierExtension/],
  ];
  for (const [provision, fault] of bad) expect(faults(provision).join(' ')).toMatch(fault);
  expect(faults(good, { patient: { reference: 'Group/g' } }).join(' ')).toMatch(/refer to a Patient/);
  let deep: object = { type: 'deny' };
  for (let i = 0; i < 12; i++) deep = { type: 'deny', provision: [deep] };
  expect(faults(deep).join(' ')).toMatch(/10 deep/);
  const wide = { type: 'deny', provision: Array.from({ length: 300 }, () => ({ type: 'permit' })) };
  expect(faults(wide).join(' ')).toMatch(/200 provisions/);
});

it('takes the effect of the root from the policy rule where the root has no type', () => {
  const effect = (code: string) => {
    const read = readConsent({ patient, policyRule: { coding: [{ code }] } }, 'UTC');
    return 'unreadable' in read ? undefined : read.provisions[0]!.effect;
  };
  expect([effect('OPTOUT'), effect('OPTIN'), effect('EMRGONLY')]).toEqual(['deny', 'none', undefined]);
});

it('counts a permission only where it was verified', () => {
  const effect = (verification: object[]) => {
    const read = readConsent({ patient, verification, provision: { type: 'permit' } }, 'UTC');
    return 'unreadable' in read ? undefined : read.provisions[0]!.effect;
  };
  expect([effect([]), effect([{ verified: false }]), effect([{ verified: false }, { verified: true }])]).toEqual([
    'none',
    'none',
    'permit',
  ]);
});

it('takes an address of another server for one of ours only where that refuses, and nothing is excepted', () => {
  const there = 'https://elsewhere.example/fhir/';
  const reading = (provision: object) => {
    const read = readConsent({ patient, verification: [{ verified: true }], provision }, 'UTC');
    if ('unreadable' in read) expect.fail(read.unreadable.join(' '));
    return read;
  };
  const about = (type: string) => ({
    type,
    actor: [{ role: {}, reference: { reference: `${there}Organization/o1` } }],
    data: [{ meaning: 'instance', reference: { reference: `${there}Condition/c` } }],
  });
  const [permission] = reading(about('permit')).provisions;
  expect(permission).toMatchObject({ actors: [`${there}Organization/o1`], instances: [`${there}Condition/c`] });
  const refusal = reading(about('deny'));
  expect(refusal.provisions[0]!.actors).toEqual([`${there}Organization/o1`, 'Organization/o1']);
  expect(refusal.provisions[0]!.instances).toEqual([`${there}Condition/c`, 'Condition/c']);
  const excepted = { ...about('deny'), provision: [{ type: 'permit' }] };
  expect(reading(excepted).provisions[0]).toMatchObject({ actors: [`${there}Organization/o1`] });
  const ours = reading({ type: 'deny', actor: [{ role: {}, reference: { reference: 'Organization/o1' } }] });
  expect(refusal.group).not.toBe(ours.group);
});

it('survives what is no consent at all', () => {
  for (const odd of [{}, { provision: [] }, { provision: { type: 'deny', actor: 'x', purpose: [null], data: [3] } }]) {
    expect(readConsent(odd as Record<string, unknown>, 'UTC')).toHaveProperty('unreadable');
  }
});
