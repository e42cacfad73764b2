/**
 * Messages of our own for a destination of another version than 2.5.1: the header's words, the segments and data types
 * that the version has. What it has no segment for goes to the fields that it had before (v2.4: OBR-15, OBR-27, ORC-7).
 */
export const v2Versions = [
  '2.3',
  '2.3.1',
  '2.4',
  '2.5',
  '2.5.1',
  '2.6',
  '2.7',
  '2.7.1',
  '2.8',
  '2.8.1',
  '2.8.2',
] as const;
export type V2Version = (typeof v2Versions)[number];

/** Types of messages that a destination may ask for. */
export const v2MessageCodes = ['ADT', 'ORU', 'MDM', 'SIU', 'RDE', 'VXU', 'ORM', 'OMG', 'OML'] as const;
export type V2MessageCode = (typeof v2MessageCodes)[number];

/** Why a version has no message of a type; undefined where it has. */
export function refusedVersion(code: V2MessageCode, version: V2Version): string | undefined {
  if ((code === 'OMG' || code === 'OML') && isBefore(version, '2.4')) {
    return `${code} came with HL7 v2.4; a destination of v${version} is sent orders as ORM.`;
  }
  return undefined;
}

/** Segments that came after 2.3, with the version that brought them. */
const SINCE: Readonly<Record<string, V2Version>> = {
  IAM: '2.4',
  SAC: '2.4',
  CON: '2.5',
  SFT: '2.5',
  SPM: '2.5',
  TQ1: '2.5',
  ARV: '2.6',
  PRT: '2.7',
};

/** A message of 2.5.1 in another version. */
export function inVersion(text: string, version: V2Version): Uint8Array {
  const segments = text
    .split('\r')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
  if (isBefore(version, '2.5')) intoOlderFields(segments);
  const written = segments
    .filter(([name]) => !isBefore(version, SINCE[name!] ?? '2.3'))
    .map((segment) => segmentIn(segment, version).join('|'));
  return new TextEncoder().encode(written.map((line) => `${line}\r`).join(''));
}

function segmentIn(segment: string[], version: V2Version): string[] {
  const [name] = segment;
  // The separator after MSH is its first field, so that a field's place is one less than its number.
  if (name === 'MSH') {
    const [code, event] = segment[8]!.split('^') as [string, string];
    const trigger = code === 'RDE' && event === 'O11' && isBefore(version, '2.4') ? 'O01' : event;
    if (isBefore(version, '2.4')) segment[8] = `${code}^${trigger}`;
    segment[11] = version;
  }
  if (name === 'OBX') {
    if (segment[2] === 'CWE' && isBefore(version, '2.5')) segment[2] = 'CE';
    if (segment[2] === 'TS' && !isBefore(version, '2.6')) segment[2] = 'DTM';
  }
  return segment;
}

/** What SPM and TQ1 say, where it was said before there were such segments. */
function intoOlderFields(segments: string[][]): void {
  let order: [segment: string[], field: number][] = [];
  for (const segment of segments) {
    const [name] = segment;
    if (name === 'ORC') order = [[segment, 7]];
    else if (name === 'OBR') order.push([segment, 27]);
    else if (name === 'RXE') order.push([segment, 1]);
    else if (name === 'TQ1')
      for (const [holder, field] of order) put(holder, field, quantityTiming(segment), field !== 1);
    else if (name === 'SPM') {
      const request = order.find(([[holder]]) => holder === 'OBR')?.[0];
      if (request === undefined) continue;
      put(request, 15, (segment[4] ?? '').split('^').slice(0, 3).join('&').replace(/&+$/, ''), false);
      put(request, 14, segment[18] ?? '', false);
    }
  }
}

/** TQ: quantity, interval, duration, start, end, priority. */
function quantityTiming(tq1: string[]): string {
  const [amount, unit] = (tq1[2] ?? '').split('^');
  const [length, lengthUnit] = (tq1[6] ?? '').split('^');
  const letter = DURATION[lengthUnit?.split('&')[0] ?? ''];
  const parts = [
    [amount, unit?.split('&')[0]].filter(Boolean).join('&'),
    (tq1[3] ?? '').split(/[~^&]/)[0],
    length && letter ? `${letter}${length}` : '',
    tq1[7],
    tq1[8],
    tq1[9]?.split('^')[0],
  ];
  return parts
    .map((part) => part ?? '')
    .join('^')
    .replace(/\^+$/, '');
}

/** Letters of TQ.3 for UCUM's units of time. */
const DURATION: Readonly<Record<string, string>> = { s: 'S', min: 'M', h: 'H', d: 'D', wk: 'W', mo: 'L' };

/** Puts a value into a field that is empty, or as a further repetition. */
function put(segment: string[], field: number, value: string, repeats: boolean): void {
  if (value === '') return;
  while (segment.length <= field) segment.push('');
  if (segment[field] === '') segment[field] = value;
  else if (repeats) segment[field] += `~${value}`;
}

function isBefore(version: V2Version, other: V2Version): boolean {
  return v2Versions.indexOf(version) < v2Versions.indexOf(other);
}
