/** The simulated hospital's interface engine: takes messages over MLLP for patients under its own numbers. */
import { createServer, type Socket } from 'node:net';
import { acknowledge, encodeFrame, isParseError, type Message, MllpDecoder, parseMessage } from '@causeway/hl7v2';
import { newId } from '../record/index.ts';
import { canName, KeptFiles } from './kept-files.ts';

const frameBytes = 16 * 1024 * 1024;
/** The types it takes, and the segments without which it can do nothing with a message. */
const taken: Readonly<Record<string, readonly string[]>> = {
  ORU: ['OBR', 'OBX'],
  MDM: ['TXA'],
  ADT: ['EVN'],
  SIU: ['SCH'],
  RDE: ['RXE'],
  VXU: ['RXA'],
  ORM: ['OBR'],
  OMG: ['OBR'],
  OML: ['OBR'],
};

/** A receiver of the simulated region. */
export interface SiteReceiver {
  port: number;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. @param authority the name of the hospital's record numbers (PID-3.4.1) */
export function startHospital(folder: string, authority: string | undefined): Promise<SiteReceiver> {
  const files = new KeptFiles(folder);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const decoder = new MllpDecoder({ maximumFrameBytes: frameBytes });
    let last = Promise.resolve();
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind !== 'frame') continue;
        last = last.then(async () => {
          const answer = await take(event.content, files, authority);
          if (answer && socket.writable) socket.write(encodeFrame(answer));
        });
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : 0,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

async function take(
  content: Uint8Array,
  files: KeptFiles,
  authority: string | undefined,
): Promise<Uint8Array | undefined> {
  const message = parseMessage(content);
  const answer = { time: new Date(), controlId: newId().slice(0, 20) };
  if (isParseError(message)) return acknowledge(message, { ...answer, outcome: 'reject' })?.bytes;
  const fault = faultOf(message, authority);
  if (fault) {
    const conditions = [{ errorCode: fault.code, message: fault.says, segment: fault.segment, field: fault.field }];
    return acknowledge(message, { ...answer, outcome: 'error', conditions })?.bytes;
  }
  try {
    await files.keep(message.controlId, 'hl7', content);
  } catch {
    const conditions = [{ errorCode: '207' as const, message: 'The message could not be stored; send it again.' }];
    return acknowledge(message, { ...answer, outcome: 'reject', conditions })?.bytes;
  }
  return acknowledge(message, { ...answer, outcome: 'accept' })?.bytes;
}

interface Fault {
  code: '101' | '200' | '204';
  says: string;
  segment: string;
  field: number;
}

function faultOf(message: Message, authority: string | undefined): Fault | undefined {
  const content = taken[message.type.code];
  if (content === undefined) {
    return { code: '200', says: `This hospital takes ${Object.keys(taken).join(', ')}.`, segment: 'MSH', field: 9 };
  }
  if (!canName(message.controlId)) {
    return { code: '101', says: 'MSH-10 must be 1 to 64 letters, digits and dashes.', segment: 'MSH', field: 10 };
  }
  const own = message
    .segment('PID')
    ?.field(3)
    .repetitions.some((number) => number.component(4).sub(1) === authority);
  if (!own || !message.get('PID-3.1')) {
    return { code: '204', says: 'PID-3 must hold a record number of this hospital.', segment: 'PID', field: 3 };
  }
  const missing = content.find((name) => !message.segment(name));
  return missing ? { code: '101', says: `The message has no ${missing}.`, segment: missing, field: 1 } : undefined;
}
