/** The inbox: the durable message log and what works it off. */
export {
  claimAcknowledgement,
  type DueAcknowledgement,
  finishedOf,
  keptFor,
  markSent,
  noteReply,
  overdue,
  oweAgain,
  release,
} from './application-ack.ts';
export { ConversionPool } from './conversion-pool.ts';
export { type Difference, differencesOf } from './differences.ts';
export type { LaneChange } from './lane.ts';
export { Messages } from './messages.ts';
export { Processor } from './process.ts';
export { type Dialect, messageKeyColumn, type Receipt, type Received, Receiver } from './receive.ts';
export { Reprocess, type ReprocessFilter } from './reprocess.ts';
export { ReprocessJobs } from './reprocess-jobs.ts';
