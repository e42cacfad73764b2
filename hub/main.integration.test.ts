import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from './testing.ts';
import { adt } from './testing-messages.ts';

describe('a hub as a whole', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  it('makes a searchable Patient of a message', async () => {
    const [answer] = await hub.deliver(
      adt('A04', { id: '4711', family: 'Rivers', given: 'Ada', birth: '19800229', sex: 'F' }),
    );
    expect(answer).toContain('MSA|AA|');
    await hub.settled();
    const found = await hub.get('/fhir/Patient?family=Rivers&birthdate=1980-02-29');
    expect(found.status).toBe(200);
    expect(found.json.entry).toHaveLength(1);
    expect(found.json.entry[0].resource.gender).toBe('female');
    const status = await hub.get('/api/status');
    expect(status.json).toMatchObject({ received: 1, processed: 1, dead: 0, persons: 1, sourcePatients: 1 });
  });
});
