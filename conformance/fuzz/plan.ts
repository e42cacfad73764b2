/** Which target an input belongs to, by its number alone: so that any piece of a run can be run alone. */
import { makeInput } from './input.ts';
import { Random } from './random.ts';
import type { Seeds } from './seeds.ts';
import type { Target } from './targets.ts';

export interface Planned {
  target: Target;
  input: Buffer;
  /** What the target chooses by. */
  random: Random;
}

/** Of a hundred inputs in a row each target has its share, spread evenly. */
export function targetOf(number: number, targets: readonly Target[]): Target {
  const total = targets.reduce((sum, { share }) => sum + share, 0);
  let place = (number * 37) % total;
  for (const target of targets) {
    place -= target.share;
    if (place < 0) return target;
  }
  throw new Error('There is no target.');
}

export function plan(seed: number, number: number, targets: readonly Target[], seeds: Seeds): Planned {
  const target = targetOf(number, targets);
  const input = makeInput(new Random(seed, target.name, number), target, seeds);
  return { target, input, random: new Random(seed, target.name, number, 'run') };
}
