/** The inbox: what takes, converts and files messages, and converts stored ones anew. */
import { join } from 'node:path';
import { ConversionPool, Messages, Processor, Receiver, Reprocess, ReprocessJobs } from '../inbox/index.ts';
import { LargeBodies, LowPriority, patchBy } from '../record/index.ts';
import type { RecordParts } from './record.ts';
import type { Store } from './store.ts';
import type { Trust } from './trust.ts';
import type { Wiring } from './wiring.ts';

export type Inbox = ReturnType<typeof wireInbox>;

export function wireInbox(
  { config, log, fault, onStop }: Wiring,
  { database, system, master, participants, record, persons }: Store & Trust & RecordParts,
) {
  const pool = new ConversionPool(fault('a thread that converts failed'));
  onStop(() => pool.close());
  const lowPriority = new LowPriority(config.dataDir, fault('the thread for what may take long failed'));
  onStop(() => lowPriority.close());
  const largeBodies = new LargeBodies(lowPriority);
  record.patchAside = patchBy(lowPriority);
  const receiver = new Receiver(database, master, () => processor.wake());
  const isPressed = () => receiver.pressed;
  const spoolDirectory = join(config.dataDir, 'spool');
  const conversion = { database: system, participants, master, pool };
  const processor = new Processor({ ...conversion, record, persons, spoolDirectory, isPressed, log });
  const messages = new Messages(system, master, participants, pool);
  const reprocess = new Reprocess({ ...conversion, record, persons, spoolDirectory, log });
  const reprocessJobs = new ReprocessJobs(
    system,
    reprocess,
    isPressed,
    fault('stored messages were not converted anew as was asked'),
  );
  return { pool, largeBodies, spoolDirectory, receiver, processor, messages, reprocess, reprocessJobs };
}
