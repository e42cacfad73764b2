/** Targets that fail in every way there is, to see that each is noticed. Their names say how. */
import type { Target } from './targets.ts';

const held: Buffer[] = [];

/** Fails once in so many inputs. */
function sometimes(name: string, fail: () => void): Target {
  return {
    name,
    format: 'er7',
    as: 'file',
    share: 10,
    run: (_, random) => {
      if (random.once(4)) fail();
      return true;
    },
  };
}

export const targets: readonly Target[] = [
  sometimes('fine', () => {}),
  sometimes('throws', () => {
    throw new TypeError('It threw.');
  }),
  sometimes('slow', () => {
    const before = process.cpuUsage();
    for (let used = { user: 0, system: 0 }; used.user + used.system < 400_000; used = process.cpuUsage(before))
      JSON.parse('[1,2,3]');
  }),
  sometimes('hung', () => {
    for (;;);
  }),
  sometimes('ended', () => process.exit(3)),
  sometimes('memory', () => {
    if (held.length === 0) held.push(Buffer.alloc(150 * 1024 * 1024, 1));
  }),
];
