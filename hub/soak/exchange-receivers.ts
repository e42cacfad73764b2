/**
 * A hospital over MLLP, a practice as FHIR and a subscriber by rest-hook, in a process of their own that nobody kills. Each
 * writes a line for whatever comes, before it answers: what is proved is proved by these.
 */
import { appendFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { acknowledge, encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';

const folder = process.argv[2]!;
const log = (name: string, line: object) => appendFileSync(join(folder, `${name}.log`), `${JSON.stringify(line)}\n`);

/** What the hospital has, for whoever chooses the moments. */
const told = new Set<string>();

const mllp = createTcp((socket) => {
  const decoder = new MllpDecoder();
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const event of decoder.push(chunk)) {
      const message = event.kind === 'frame' ? parseMessage(event.content) : undefined;
      if (!message || isParseError(message)) continue;
      const result = /ORDER\d+/.exec(message.toString())![0];
      log('hospital', { id: message.controlId, patient: message.get('PID-3.1'), result });
      told.add(result);
      process.send!({ hospital: told.size });
      const answer = acknowledge(message, { outcome: 'accept', time: new Date(), controlId: '1' });
      if (answer) socket.write(encodeFrame(answer.bytes));
    }
  });
});

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
      const subjects = bundle.entry.flatMap(
        (entry: { resource: { subject?: { identifier?: { value: string } } } }) =>
          entry.resource.subject?.identifier?.value ?? [],
      );
      log('practice', { id: bundle.identifier?.value, patient: subjects[0], result: /ORDER\d+/.exec(text)?.[0] });
    } else {
      const parameters: Parameter[] = bundle.entry[0].resource.parameter;
      for (const { name, part } of parameters) {
        if (name !== 'notification-event') continue;
        const number = part!.find((one) => one.name === 'event-number')?.valueString;
        log('subscriber', {
          number: Number(number),
          focus: part!.find((one) => one.name === 'focus')?.valueReference?.reference,
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
