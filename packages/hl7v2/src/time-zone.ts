/**
 * How far a zone's clocks are from UTC at a local time, from the IANA data that come with the runtime.
 */

/**
 * Minutes to subtract from local time to have UTC. Where clocks go back and a local time comes twice, the first is
 * meant; where they go forward and it never comes, the offset before the change is used.
 *
 * @param local local time written as if it were UTC: `2024-02-29T13:45:00Z`
 * @param timeZone IANA name or offset `+01:00`
 * @throws RangeError when there is no such zone
 */
export function offsetMinutes(local: string, timeZone: string): number {
  const fixed = /^([+-])(\d{2}):?(\d{2})$/.exec(timeZone);
  if (fixed !== null) {
    return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3]));
  }
  const asUtc = Date.parse(local);
  const day = 86_400_000;
  const before = offsetAt(asUtc - day, timeZone);
  const after = offsetAt(asUtc + day, timeZone);
  const fits = (offset: number) => offsetAt(asUtc - offset * 60_000, timeZone) === offset;
  return !fits(before) && fits(after) ? after : before;
}

function offsetAt(instant: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    formats.set(timeZone, format);
  }
  const name = format.formatToParts(instant).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const offset = /^GMT([+-])(\d{2}):(\d{2})/.exec(name);
  return offset === null ? 0 : (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3]));
}

const formats = new Map<string, Intl.DateTimeFormat>();
