/** A hospital's MLLP server and a practice's FHIR server that accept everything at once, in a process of their own. */
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { acknowledge, encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';

const mllp = createTcp((socket) => {
  const decoder = new MllpDecoder();
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const event of decoder.push(chunk)) {
      const message = event.kind === 'frame' ? parseMessage(event.content) : undefined;
      if (!message || isParseError(message)) continue;
      const answer = acknowledge(message, { outcome: 'accept', time: new Date(), controlId: '1' });
      if (answer) socket.write(encodeFrame(answer.bytes));
    }
  });
});
const http = createHttp((request, response) => {
  request.resume();
  request.on('end', () => response.end('{"resourceType":"Bundle","type":"transaction-response"}'));
});

mllp.listen(0, '127.0.0.1', () => {
  http.listen(0, '127.0.0.1', () => {
    process.send!({ mllp: (mllp.address() as AddressInfo).port, http: (http.address() as AddressInfo).port });
  });
});
