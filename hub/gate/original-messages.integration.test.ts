/** The original of a message tells all that it stated: who may not see some of that opens none of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  await hub.send('PUT', '/api/participants/clinic', { name: 'Clinic', kind: 'clinic', sendingFacility: 'CLINIC' });
});
afterAll(() => hub.stop());

const result = (control: string, test: string) =>
  [
    `MSH|^~\\&|LIS|CLINIC|HUB|HUB|20260101||ORU^R01|${control}|P|2.5.1`,
    'PID|1||4711^^^CLINIC^MR||Doe^Jane||19800203|F',
    `OBR|1||F${control}|${control}^A panel^L|||20260101`,
    `OBX|1|ST|${test}||Wqxcanary||||||F`,
    '',
  ].join('\r');

it('opens for a clinician and a steward who see all that it made, whole or not at all', async () => {
  await hub.take(result('1', '75622-1^HIV 1 and 2^LN'));
  await hub.take(result('2', '718-7^Hemoglobin^LN'));
  const { rows } = await hub.test.database.query('SELECT id FROM message ORDER BY seq');
  const [hiv, plain] = rows.map(({ id }) => id as string);
  const open = (id: string, role: string) => hub.get(`/api/messages/${id}`, { role });
  for (const role of ['clinician', 'steward', 'integration-engineer']) {
    expect((await open(hiv!, role)).text, role).toContain('Wqxcanary');
  }
  const [patient] = (await hub.resources('Patient')) as Json[];
  const refusal = await hub.send('PUT', '/fhir/Consent/refusal', {
    resourceType: 'Consent',
    id: 'refusal',
    status: 'active',
    scope: { coding: [{ code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    patient: { reference: `Patient/${patient!.id}` },
    policyRule: { coding: [{ code: 'OPTOUT' }] },
    provision: {
      type: 'deny',
      securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'HIV' }],
    },
  });
  expect(refusal.status, refusal.text).toBeLessThan(300);
  const absent = await open('01b30000-0000-7000-8000-000000000000', 'clinician');
  for (const role of ['clinician', 'steward']) {
    const hidden = await open(hiv!, role);
    expect([hidden.status, hidden.text], role).toEqual([404, absent.text]);
    expect((await open(plain!, role)).status, role).toBe(200);
  }
  expect((await open(hiv!, 'integration-engineer')).status).toBe(200);
  expect((await hub.get('/api/messages', { role: 'clinician' })).status).toBe(403);
});
