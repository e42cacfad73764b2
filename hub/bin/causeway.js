#!/usr/bin/env node
// The command line: `causeway start | token | send | status`. Plain JavaScript, so that any Node can start it.
import module from 'node:module';
import { useLittleMemory } from './lean-memory.js';
import { reexecuteOnPinnedNode } from './pinned-node.js';

if (!(await reexecuteOnPinnedNode())) {
  if (process.argv[2] === 'start') useLittleMemory();
  module.enableCompileCache();
  const { main } = await import('../cli.ts');
  process.exit(await main(process.argv.slice(2)));
}
