/**
 * What a start waits for longest and what needs nothing else of the hub: its own database, and the screens. Begun before
 * the hub's modules are read (`cli.ts`), which takes a processor as long.
 */
import type { Config } from './config.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from './database/index.ts';
import type { Progress } from './lifecycle.ts';
import { screens } from './screens/index.ts';

export interface Begun {
  /** The folder of the built screens; undefined where there are none. */
  pages: Promise<string | undefined>;
  /** Undefined where the operator has a database of their own. */
  database: Promise<EmbeddedDatabase> | undefined;
}

export function begin(config: Config, progress: Progress, pages = screens): Begun {
  const begun = { pages: pages((text) => progress.say(text)), database: beginDatabase(config, progress) };
  // Whoever waits for them is told of a failure; nobody does while the modules are read.
  for (const one of [begun.pages, begun.database]) one?.catch(() => {});
  return begun;
}

function beginDatabase({ databaseUrl, dataDir }: Config, progress: Progress): Promise<EmbeddedDatabase> | undefined {
  if (databaseUrl !== undefined) return undefined;
  return startEmbeddedDatabase({
    dataDir,
    notice: (text) => progress.say(text),
    died: (reason) => progress.fail(reason),
  });
}
