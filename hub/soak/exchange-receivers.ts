/**
 * A hospital over MLLP, a practice as FHIR and a subscriber by rest-hook, in a process of their own that nobody kills. Each
 * writes a line for whatever comes, before it answers: what is proved is proved by these.
 */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { acknowledge, encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';

const folder = process.argv[2]!;
const log = (name: string, line: object) => appendFileSync(join(folder, `${name}.log`), `${JSON.stringify(line)}\n`);

const digestOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('base64url');

const mllp = createTcp((socket) => {
  const decoder = new MllpDecoder();
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const event of decoder.push(chunk)) {
      const message = event.kind === 'frame' ? parseMessage(event.content) : undefined;
      if (!message || isParseError(message)) continue;
      const [order, result] = [/ORDER\d+/.exec(message.toString())![0], Number(message.get('OBX-5'))];
      const kind = message.get('OBR-25') === 'C' ? 'correction' : 'new';
      const digest = digestOf(event.content);
      log('hospital', { id: message.controlId, patient: message.get('PID-3.1'), order, result, kind, digest });
      process.send!({ hospital: result });
      const answer = acknowledge(message, { outcome: 'accept', time: new Date(), controlId: '1' });
      if (answer) socket.write(encodeFrame(answer.bytes));
    }
  });
});

interface Resource {
  subject?: { identifier?: { value: string } };
  valueQuantity?: { value: number };
}

interface Parameter {
  name: string;
  valueString?: string;
  valueReference?: { reference: string };
  part?: Parameter[];
}

const http = createHttp(async (request, response) => {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const bundle = JSON.parse(text);
    if (request.url === '/fhir') {
      const resources: Resource[] = bundle.entry.map(({ resource }: { resource: Resource }) => resource);
      const patient = resources.flatMap(({ subject }) => subject?.identifier?.value ?? [])[0];
      const result = resources.flatMap(({ valueQuantity }) => valueQuantity?.value ?? [])[0];
      const id = request.headers['idempotency-key'];
      log('practice', { id, patient, order: /ORDER\d+/.exec(text)?.[0], result, digest: digestOf(text) });
    } else {
      const parameters: Parameter[] = bundle.entry[0].resource.parameter;
      for (const { name, part } of parameters) {
        if (name !== 'notification-event') continue;
        const number = part!.find((one) => one.name === 'event-number')?.valueString;
        log('subscriber', {
          number: Number(number),
          // The hub that goes on has another port.
          focus: part!.find((one) => one.name === 'focus')?.valueReference?.reference.replace(/^.*\/fhir\//, ''),
        });
      }
    }
    response.end('{"resourceType":"Bundle","type":"transaction-response"}');
  } catch {
    // The hub was killed while it was sending: that never came.
    response.destroy();
  }
});

mllp.listen(0, '127.0.0.1', () => {
  http.listen(0, '127.0.0.1', () => {
    const [hl7, fhir] = [mllp.address() as AddressInfo, http.address() as AddressInfo];
    process.send!({ mllp: hl7.port, http: fhir.port });
  });
});
