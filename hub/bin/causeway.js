#!/usr/bin/env node
// The command line: `causeway start | token | send | status`. Plain JavaScript, so that any Node can start it.
import { reexecuteOnPinnedNode } from './pinned-node.js';

if (!(await reexecuteOnPinnedNode())) {
  await import('../cli.ts');
}
