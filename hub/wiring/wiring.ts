/** What each part of the hub is wired with: what the operator said, where it tells of itself, and how it is ended. */
import pino, { type Logger } from 'pino';
import type { Config } from '../config.ts';
import { faultText } from '../faults.ts';
import type { Progress } from '../lifecycle.ts';

export interface Wiring {
  config: Config;
  progress: Progress;
  log: Logger;
  /** Tells of an error that nobody waits for: in the log, without what the error is about. */
  fault(text: string): (error: unknown) => void;
  /** Ends a part with the hub: before those that were there before it. */
  onStop(close: () => Promise<void> | void): void;
  /** Ends all parts, the last one first. */
  stop(): Promise<void>;
}

export function beginWiring(config: Config, progress: Progress): Wiring {
  const log = pino({ level: config.logLevel }, pino.destination(2));
  const fault = (text: string) => (error: unknown) => log.error({ error: faultText(error) }, text);
  const closing: (() => Promise<void> | void)[] = [];
  return {
    config,
    progress,
    log,
    fault,
    onStop: (close) => void closing.push(close),
    stop: async () => {
      for (const close of closing.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          fault('a part of the hub did not stop as it should')(error);
        }
      }
    },
  };
}
