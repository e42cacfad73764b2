/** When a route rests: by the clock of its destination's zone. */
import type { QuietHours } from '../trust/index.ts';

/** Whether it rests at a moment. Hours that end before they begin go over midnight. */
export function isQuiet({ zone, from, to }: QuietHours, now: Date): boolean {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const time = clock.format(now);
  return from < to ? from <= time && time < to : from <= time || time < to;
}
