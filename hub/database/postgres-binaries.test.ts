import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runnablePostgres } from './postgres-binaries.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'causeway-programs-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A package as npm lays it, its links not made. @param runs shell: whether its programs run, by their path `$0` */
function packaged(runs: string): { native: string; version: string } {
  const native = join(root, 'package', 'native');
  for (const part of ['bin', 'lib', 'share']) mkdirSync(join(native, part), { recursive: true });
  writeFileSync(join(native, 'bin', 'initdb'), `#!/bin/sh\n${runs}\n`, { mode: 0o755 });
  writeFileSync(join(native, 'lib', 'libpq.so.5.18'), '');
  writeFileSync(join(native, 'lib', 'libpq.a'), '');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
  return { native, version: '18.4.0' };
}

it('uses the package where it lies, and makes the links that its libraries need', () => {
  const one = packaged('exit 0');
  for (let start = 0; start < 2; start++) {
    expect(runnablePostgres(root, undefined, one)).toBe(one.native);
    expect(readlinkSync(join(one.native, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  }
});

it('makes a copy, with the links, where the package cannot be run from', () => {
  const copy = runnablePostgres(root, undefined, packaged('case "$0" in */programs-*) exit 0;; esac; exit 1'));
  expect(copy).toBe(join(root, 'programs-18.4.0'));
  expect(readlinkSync(join(copy, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
});

it('says so where nothing runs', () => {
  expect(() => runnablePostgres(root, undefined, packaged('exit 1'))).toThrow(/do not run/);
});
