import { expect, it } from 'vitest';
import {
  decidesCompliance,
  destinationsOf,
  homeOf,
  readsAccesses,
  readsDeliveries,
  readsPatients,
  readsRecords,
} from './session.ts';

it('leads an auditor to what it may see, and to nothing else', () => {
  expect(destinationsOf('auditor').map(({ to }) => to)).toEqual(['/audit', '/refusals', '/safeguards']);
  expect(homeOf('auditor')).toBe('/audit');
  expect([readsAccesses('auditor'), readsRecords('auditor'), decidesCompliance('auditor')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([readsPatients('auditor'), readsPatients('privacy-officer'), readsPatients(undefined)]).toEqual([
    false,
    true,
    false,
  ]);
  expect([readsDeliveries('steward'), readsDeliveries('administrator')]).toEqual([false, true]);
  expect(destinationsOf('clinician').map(({ to }) => to)).not.toContain('/audit');
});
