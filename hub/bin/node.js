#!/usr/bin/env node
// Runs a script on the Node version this project pins (an npm dependency), whatever Node the machine has.
// Usage: causeway-node SCRIPT [ARGS...]
import { pathToFileURL } from 'node:url';
import { reexecuteOnPinnedNode } from './pinned-node.js';

if (!(await reexecuteOnPinnedNode())) {
  process.argv.splice(1, 1);
  process.argv[1] = (await import('node:path')).resolve(process.argv[1]);
  await import(pathToFileURL(process.argv[1]).href);
}
