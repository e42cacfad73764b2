/** Loaded into a hub of the bench beforehand: of a read nothing is recorded, and it waits for a flush of the disk as if it were. */
import { closeSync, constants, openSync, unlinkSync, write, writeSync, fsyncSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLog } from '../../hub/trust/index.ts';
import { GroupCommit } from '../../hub/trust/group-commit.ts';

const bytes = 4 * 1024 * 1024;
const path = join(process.env.FLUSHED_DIR ?? tmpdir(), `flushed-${process.pid}`);
const first = openSync(path, 'w');
writeSync(first, Buffer.alloc(bytes));
fsyncSync(first);
closeSync(first);
const descriptor = openSync(path, constants.O_WRONLY | constants.O_DSYNC);
unlinkSync(path);
const block = Buffer.alloc(4096, 1);
let at = 0;
const group = new GroupCommit<() => void>(
  (waiting) =>
    new Promise((resolve) => {
      at = (at + 4096) % bytes;
      write(descriptor, block, 0, block.length, at, () => {
        for (const done of waiting) done();
        resolve();
      });
    }),
  500,
);
AccessLog.prototype.record = () => new Promise((resolve) => group.add(resolve));
