/**
 * The numbers and hashes by which the record's rows are found: resource ids as UUIDs, parameters and tokens as
 * integer hashes.
 */
import { createHash } from 'node:crypto';
import { searchParameters } from '@causeway/fhir';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const fhirId = /^[A-Za-z0-9\-.]{1,64}$/;

/** Whether a string may be a resource's logical id (FHIR R4, datatype `id`). */
export function isId(id: string): boolean {
  return fhirId.test(id);
}

/** The UUID under which a resource of this id is stored: the id itself where it is one, else made from its SHA-256. */
export function ridOf(id: string): string {
  if (uuid.test(id)) return id;
  const bytes = createHash('sha256').update(`id:${id}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A shared home (negative number) for a resource that belongs to no patient. */
export function sharedHome(rid: string): number {
  return -1 - (Number.parseInt(rid.slice(-4), 16) & 1023);
}

/**
 * A signed 64-bit hash of a string. Anybody can make it of a value that they guess: what is stored of values is keyed
 * besides, see `IndexKey`. Two values share a hash about once in 2^63; it decides only what a search finds, never what a
 * reader may see.
 */
export function hash64(text: string): bigint {
  mixIn(text);
  return whole[0]!;
}

/**
 * The hash of what a value says, for index rows and `resource.tokens`: an odd number. Those of ids, by which SQL follows
 * references, and of names of parameters are even, and are not keyed.
 */
export function valueHash(text: string): bigint {
  mixIn(text);
  halves[lowHalf]! |= 1;
  return whole[0]!;
}

/** Whether a hash is of what a value says. */
export function isOfValue(hash: bigint): boolean {
  return (hash & 1n) === 1n;
}

function evenHash(text: string): bigint {
  mixIn(text);
  halves[lowHalf]! &= ~1;
  return whole[0]!;
}

/** Where a hash is made: its halves, and the whole. */
const halves = new Uint32Array(2);
const whole = new BigInt64Array(halves.buffer);
/** Which of the two 32-bit halves of a hash in memory is the lower one. */
export const lowHalf = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

function mixIn(text: string): void {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  let c = 0x9e3779b9;
  let d = 0x85ebca6b;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
    c = Math.imul(c ^ unit, 2246822519);
    d = Math.imul(d ^ unit, 3266489917);
    a ^= d >>> 15;
    b ^= a >>> 13;
    c ^= b >>> 16;
    d ^= c >>> 14;
  }
  halves[1 - lowHalf] = mix(a ^ mix(c + text.length));
  halves[lowHalf] = mix(b ^ mix(d + Math.imul(text.length, 0x27d4eb2f)));
}

/**
 * The number of a search parameter of a type, for `index_range.param` and `index_string.param`. Parameters that are the
 * same by their definition share one, and so their rows. That of a composite is named by a value too, and is odd then.
 */
export function parameterNumber(type: string, code: string): bigint {
  if (code.includes('$')) return valueHash(`${type}.${code}`);
  return remembered(code === 'phonetic' && namedTypes.has(type) ? `${type}.name` : `${type}.${code}`);
}

/** Types whose `phonetic` has the expression of their `name`. */
const namedTypes = new Set(['Patient', 'Person', 'Practitioner', 'RelatedPerson']);

/** The hash of a token's code, whatever its system, or of a URI. */
export function tokenHash(type: string, code: string, value: string): bigint {
  return valueHash(`${type}.${code}=${value}`);
}

/** The bits of `self` that the time of an id takes, and the milliseconds for which they stay the same: 16 seconds. */
const timeBits = 10;
const timeTick = 2 ** 14;

/**
 * `resource.self`: the hash of a resource's own type and id. Of an id with a time in it (UUID version 7) the time leads,
 * anew every five hours: resources made together, and references to them, lie together in their indexes, whose other
 * pages rest. It takes few bits, so that among what is made within 16 seconds two share a hash once in 2^53.
 */
export function selfHash(type: string, rid: string): bigint {
  const hash = evenHash(`${type}/${rid}`);
  if (rid[14] !== '7') return hash;
  const time = Number.parseInt(rid.slice(0, 8), 16) * 2 ** 16 + Number.parseInt(rid.slice(9, 13), 16);
  const tick = Math.floor(time / timeTick) % 2 ** timeBits;
  const upper = 32 - timeBits;
  halves[1 - lowHalf] = (tick << upper) | (halves[1 - lowHalf]! & (2 ** upper - 1));
  return whole[0]!;
}

/**
 * What turns the `self` of a target of a type into the hash of a reference to it by a parameter, and back: exclusive or.
 * So SQL can follow references in both directions. Parameters that find the same in a target (`patient`, `subject`)
 * share it, and so their rows.
 */
export function referenceMask(type: string, code: string, targetType: string): bigint {
  const name = `${type}.${code}=>${targetType}`;
  let mask = hashes.get(name);
  if (mask === undefined) {
    const partOf = searchParameters(type).find((parameter) => parameter.code === code)?.partOf;
    mask = evenHash(`${type}.${partOf?.target === targetType ? partOf.code : code}=>`);
    hashes.set(name, mask);
  }
  return mask;
}

/** The hash of a reference by a parameter of a type. */
export function referenceHash(type: string, code: string, targetType: string, targetRid: string): bigint {
  return selfHash(targetType, targetRid) ^ referenceMask(type, code, targetType);
}

/** Hashes of what there are only as many of as search parameters. */
function remembered(text: string): bigint {
  let hash = hashes.get(text);
  if (hash === undefined) {
    hash = evenHash(text);
    hashes.set(text, hash);
  }
  return hash;
}

const hashes = new Map<string, bigint>();

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
