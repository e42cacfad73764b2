/**
 * Loaded into a hub of the bench beforehand: of a read nothing is recorded, but it waits until a block is on disk, together with
 * those that wait as well. Whatever is recorded before an answer leaves takes that.
 */
import { closeSync, constants, fsyncSync, mkdtempSync, openSync, rmSync, write, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLog, GroupCommit } from '../../hub/trust/index.ts';

const block = Buffer.alloc(4_096, 1);
const blocks = 1_024;
const mostAtOnce = 500;

const descriptor = emptyFile();
let next = 0;
const group = new GroupCommit<() => void>(
  (waiting) =>
    new Promise((resolve) => {
      next = (next + 1) % blocks;
      write(descriptor, block, 0, block.length, next * block.length, () => {
        for (const answer of waiting) answer();
        resolve();
      });
    }),
  mostAtOnce,
);
AccessLog.prototype.record = () => new Promise((resolve) => group.add(resolve));

/** A file of its full size, as those of the journal are, of which the name is gone already. */
function emptyFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
  const path = join(folder, 'flushed');
  const made = openSync(path, 'w');
  writeSync(made, Buffer.alloc(blocks * block.length));
  fsyncSync(made);
  closeSync(made);
  const written = openSync(path, constants.O_WRONLY | constants.O_DSYNC);
  rmSync(folder, { recursive: true });
  return written;
}
