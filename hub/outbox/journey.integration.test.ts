import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Message, parseMessage } from '@causeway/hl7v2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt, oru } from '../testing-messages.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ demo: true, people: 1 });
});
afterAll(() => hub.stop());

const person = {
  family: 'Quillfeather',
  given: 'Petronella',
  birth: '19570314',
  sex: 'F',
  street: '9 Heron Lane',
  city: 'Sedgewick',
  phone: '555-0199',
};

/** What the simulated hospital keeps about an order, in the order of the deliveries. */
function kept(order: string): Message[] {
  const folder = join(hub.config.dataDir, 'region', 'harbor-hospital');
  const messages = readdirSync(folder)
    .filter((name) => name.endsWith('.hl7'))
    .sort()
    .map((name) => parseMessage(readFileSync(join(folder, name))) as Message);
  return messages.filter((message) => message.get('OBR-3.1') === order);
}

async function arrived(order: string, count: number): Promise<Message[]> {
  for (let tries = 0; kept(order).length < count; tries++) {
    if (tries > 300) throw new Error(`${kept(order).length} messages arrived, not ${count}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return kept(order);
}

it("takes the laboratory's result, correction and withdrawal to the hospital, as the message list shows", async () => {
  const lab = (value: string, status: string, time: string) =>
    oru(
      { id: 'L-1', ...person },
      { order: 'JOURNEY', code: '2823-3', value, status, orderStatus: status === 'F' ? 'F' : 'C' },
      { facility: 'ERL', time, header: { 3: 'ELLERYLIS' } },
    );
  const admission = adt('A04', { id: 'H-1', ...person }, { facility: 'HGH', header: { 3: 'HARBORADT' } });
  await hub.deliver(admission.replace('^^^HGH^', '^^^HGHMRN^'));
  await hub.settled();
  await hub.deliver(lab('4.4', 'F', '20240301090000'));
  const [first] = await arrived('JOURNEY', 1);
  expect([first!.get('PID-3.1'), first!.get('OBX-5'), first!.get('OBX-11')]).toEqual(['H-1', '4.4', 'F']);
  await hub.deliver(lab('5.9', 'C', '20240301100000'));
  await arrived('JOURNEY', 2);
  await hub.deliver(lab('5.9', 'W', '20240301110000'));
  const states = (await arrived('JOURNEY', 3)).map((message) => [message.get('OBX-11'), message.get('OBX-5')]);
  expect(states).toEqual([
    ['F', '4.4'],
    ['C', '5.9'],
    ['W', undefined],
  ]);
  const { json } = await hub.get('/api/messages?source=ellery-lab&limit=3');
  const { json: message } = await hub.get(`/api/messages/${json.messages[0].id}`);
  expect(message.deliveries).toMatchObject([{ destination: 'harbor-hospital', kind: 'retraction', topic: 'result' }]);
});
