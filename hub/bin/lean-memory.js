// A hub shares its machine with its database, and what it holds at a time is small: bodies, answers and files are
// streamed. So the garbage of its requests is collected early instead of being left to fill gigabytes. No limit is set
// that could end it. Figures: bench/README.md.
import v8 from 'node:v8';

/** MiB of a semi-space of the young generation; V8's own choice is 32. */
const youngMib = 16;
/** By how much the old generation may grow before it is collected again, in percent; V8's own choice is up to 300. */
const growingPercent = 50;
/**
 * V8 may lose track of its code pages while it guards them with the processor's protection keys, where threads come and go,
 * and ends the process: "Check failed: jit_page.has_value()".
 */
const unguarded = '--no-memory-protection-keys';
/** glibc's allocator: one arena for all threads, and memory given back to the system as soon as 1 MiB is free at its end. */
const allocator = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576', MALLOC_MMAP_THRESHOLD_: '131072' };

/**
 * Lets this process begin again with settings that are read only when one begins; it keeps its id, its parent and its
 * sockets. What the command line or the environment say already stays.
 */
export function useLittleMemory() {
  v8.setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
  const said = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  const missing = [unguarded, `--max-semi-space-size=${youngMib}`].filter((one) => !said.includes(one.split('=')[0]));
  if (missing.length === 0 || process.platform === 'win32') return;
  const again = [process.execPath, ...missing, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, again, { ...allocator, ...process.env });
}
