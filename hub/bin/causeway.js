#!/usr/bin/env node
// The command line: `causeway start | token | send | status`. Plain JavaScript, so that any Node can start it.
import module from 'node:module';
import { join } from 'node:path';
import { useLittleMemory } from './lean-memory.js';
import { reexecuteOnPinnedNode } from './pinned-node.js';

if (!(await reexecuteOnPinnedNode())) {
  if (process.argv[2] === 'start') useLittleMemory();
  // In a folder of this account alone: whoever can write there says what the hub does.
  const { HOME, XDG_CACHE_HOME } = process.env;
  const caches = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
  if (caches) module.enableCompileCache(join(caches, 'causeway'));
  const { main } = await import('../cli.ts');
  process.exit(await main(process.argv.slice(2)));
}
