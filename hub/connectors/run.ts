/** What a run of any connector is given: whose it is, where it takes to, and how far it is. */

import type { Received } from '../inbox/index.ts';
import type { Participant } from '../trust/index.ts';
import type { Items } from './items.ts';
import type { ConnectorSecrets, ConnectorSettings } from './settings.ts';
import type { Connector, Counts, Progress } from './store.ts';

/** What became of a message that was taken: the reason for which it was refused, where it was. */
export interface Taken {
  refused?: string | undefined;
  /** Whether it was taken before. */
  duplicate: boolean;
}

export interface Run<S extends ConnectorSettings = ConnectorSettings> {
  key: string;
  participant: Participant;
  settings: S;
  secrets: ConnectorSecrets;
  items: Items;
  progress: Progress;
  /** Aborted when the hub stops, or the connector is another hub's. */
  signal: AbortSignal;
  /** Recognises what is in a file, by what it begins with. */
  recognise(bytes: Buffer): Received;
  /** Puts messages into the inbox; resolves when they are on disk. Waits where the hub has more than enough to do. */
  take(messages: readonly Received[]): Promise<Taken[]>;
  /** Waits until so many more may be asked for or taken. */
  pace(count: number): Promise<void>;
  /** Notes how far the run is. Whatever was taken before is on disk. @throws RunLost */
  save(progress: Progress, did?: Partial<Counts>): Promise<void>;
}

/** What a connector would take, of which nothing is taken. */
export interface Sample {
  /** What was found, in a sentence. */
  found: string;
  /** Names of files, or of columns. */
  names?: string[];
  rows?: { [column: string]: unknown }[];
  /** Messages as they would be taken. */
  messages: Received[];
}

/** How the connectors of one kind work. */
export interface Source {
  run(run: Run): Promise<void>;
  sample(run: Omit<Run, 'save' | 'take'>): Promise<Sample>;
}

/** The source is reached, and something about it or its settings is not right: the sentence is shown to engineers. */
export class SourceFault extends Error {
  override name = 'SourceFault';
}

/** The source asks to be left alone for a while. */
export class AskedToWait extends Error {
  override name = 'AskedToWait';
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super('The source asks to be left alone for a while.');
    this.milliseconds = milliseconds;
  }
}

export type { Connector };
