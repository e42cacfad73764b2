/** Senders and receivers of HL7 v2 that others wrote: node-hl7-client, node-hl7-server and simple-hl7, unchanged. */
import Client, { Message } from 'node-hl7-client';
import { Server } from 'node-hl7-server';
import simple from 'simple-hl7';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt, oru } from '../testing-messages.ts';
import { freePort } from '../testing-port.ts';

let hub: TestHub;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(async () => {
  for (const close of closing) await close();
  await hub.stop();
});

const person = {
  family: 'Quillfeather',
  given: 'Ada',
  birth: '19330314',
  sex: 'F',
  street: '9 Heron Lane',
  city: 'Sedgewick',
  phone: '555-0199',
};

/** What each receiver took: its control id, the patient's number in PID-3, OBX-5 and OBX-11. */
const taken: Record<'hospital' | 'practice', string[][]> = { hospital: [], practice: [] };

async function nodeHl7Receiver(port: number): Promise<void> {
  const inbound = new Server({ bindAddress: '127.0.0.1' }).createInbound({ port }, async (request, response) => {
    const message = request.getMessage();
    taken.hospital.push(['MSH.10', 'PID.3.1', 'OBX.5', 'OBX.11'].map((path) => message.get(path).toString()));
    await response.sendResponse('AA');
  });
  closing.push(() => inbound.close());
}

function simpleReceiver(port: number): void {
  const app = simple.tcp();
  app.use((request, response) => {
    const field = (segment: string, index: number) => request.msg.getSegment(segment)?.getField(index) ?? '';
    const number = request.msg.getSegment('PID')?.getComponent(3, 1) ?? '';
    taken.practice.push([
      String(request.msg.header.getField(8)),
      String(number),
      String(field('OBX', 5)),
      String(field('OBX', 11)),
    ]);
    response.end();
  });
  app.start(port);
  closing.push(() => app.stop());
}

/** Sends by node-hl7-client; resolves to MSA-1 and MSA-2 of the acknowledgement. */
async function sendByNodeHl7(text: string): Promise<string[]> {
  const client = new Client({ host: '127.0.0.1', version: '2.5.1' });
  const answered = Promise.withResolvers<string[]>();
  const connection = client.createConnection({ port: hub.mllpPort, version: '2.5.1' }, async (answer) => {
    const message = answer.getMessage();
    answered.resolve(['MSA.1', 'MSA.2'].map((path) => message.get(path).toString()));
  });
  await connection.sendMessage(new Message({ text }));
  const found = await answered.promise;
  await connection.close();
  return found;
}

/** The same by simple-hl7. */
function sendBySimple(text: string): Promise<string[]> {
  const client = simple.Server.createTcpClient('127.0.0.1', hub.mllpPort);
  return new Promise((resolve, reject) => {
    client.send(new simple.Parser({ segmentSeperator: '\r' }).parse(text), (error, answer) => {
      if (error || !answer) return reject(error);
      const msa = answer.getSegment('MSA')!;
      resolve([String(msa.getField(1)), String(msa.getField(2))]);
    });
  });
}

async function receiver(key: 'hospital' | 'practice', kind: string, port: number): Promise<void> {
  const facility = key.toUpperCase();
  const endpoint = { dialect: 'hl7v2', host: '127.0.0.1', port, messages: ['ORU'], version: '2.5.1' };
  const body = {
    name: facility,
    kind,
    sendingFacility: facility,
    identifierSystem: `urn:${key}`,
    identifierAuthority: facility,
    endpoint,
  };
  const { status, text } = await hub.send('PUT', `/api/participants/${key}`, body);
  expect([status, text]).toEqual([200, text]);
  const identifierSystems = { [facility]: `urn:${key}` };
  await hub.send('PUT', `/api/participants/${key}/settings`, { identifierSystems });
}

it('a result goes from a sender to receivers that others wrote, and so does its correction', async () => {
  const ports = [await freePort(), await freePort()] as const;
  await nodeHl7Receiver(ports[0]);
  simpleReceiver(ports[1]);
  await receiver('hospital', 'hospital', ports[0]);
  await receiver('practice', 'practice', ports[1]);
  await hub.send('PUT', '/api/participants/lab', { name: 'Lab', kind: 'laboratory', sendingFacility: 'LAB' });
  const stamp = (facility: string, controlId: string, time: string) => ({ facility, controlId, time });
  const at = (minute: number) => `202403010${minute}0000`;
  expect(await sendByNodeHl7(adt('A04', { id: 'H-1', ...person }, stamp('HOSPITAL', 'H1', at(1))))).toEqual([
    'AA',
    'H1',
  ]);
  expect(await sendBySimple(adt('A04', { id: 'P-1', ...person }, stamp('PRACTICE', 'P1', at(2))))).toEqual([
    'AA',
    'P1',
  ]);
  const result = { order: 'O-1', code: '2823-3' };
  const lab = (value: string, status: string, controlId: string, minute: number) =>
    oru(
      { id: 'L-1', ...person },
      { ...result, value, status, orderStatus: status },
      stamp('LAB', controlId, at(minute)),
    );
  expect(await sendByNodeHl7(lab('4.4', 'F', 'L1', 3))).toEqual(['AA', 'L1']);
  const told = (value: string, status: string) => {
    expect(taken.hospital.at(-1)?.slice(1)).toEqual(['H-1', value, status]);
    expect(taken.practice.at(-1)?.slice(1)).toEqual(['P-1', value, status]);
  };
  await vi.waitFor(() => told('4.4', 'F'), { timeout: 30_000 });
  expect(await sendBySimple(lab('5.9', 'C', 'L2', 4))).toEqual(['AA', 'L2']);
  await vi.waitFor(() => told('5.9', 'C'), { timeout: 30_000 });
  // node-hl7-server closes a connection when it has answered: what is lost so comes again, under the same control id.
  const distinct = (messages: string[][]) => new Set(messages.map(([controlId]) => controlId)).size;
  expect([distinct(taken.hospital), distinct(taken.practice)]).toEqual([2, 2]);
  await vi.waitFor(async () => {
    const { rows } = await hub.test.database.query('SELECT state, count(*)::int AS count FROM delivery GROUP BY state');
    expect(rows).toEqual([{ state: 'delivered', count: 4 }]);
  });
});
