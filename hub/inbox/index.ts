/** The inbox: the durable message log and what works it off. */
export { ConversionPool } from './conversion-pool.ts';
export { Messages } from './messages.ts';
export { Processor } from './process.ts';
export { type Dialect, type Receipt, type Received, Receiver } from './receive.ts';
