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
 * A signed 64-bit hash of a string, for index rows and `resource.tokens`. Two values share a hash about once
 * in 2^64; it decides only what a search finds, never what a reader may see.
 */
export function hash64(text: string): bigint {
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
  const high = mix(a ^ mix(c + text.length)) >>> 0;
  const low = mix(b ^ mix(d + Math.imul(text.length, 0x27d4eb2f))) >>> 0;
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}

/**
 * The number of a search parameter of a type, for `index_range.param` and `index_string.param`. Parameters that are the
 * same by their definition share one, and so their rows.
 */
export function parameterNumber(type: string, code: string): bigint {
  return remembered(code === 'phonetic' && namedTypes.has(type) ? `${type}.name` : `${type}.${code}`);
}

/** Types whose `phonetic` has the expression of their `name`. */
const namedTypes = new Set(['Patient', 'Person', 'Practitioner', 'RelatedPerson']);

/** The hash of a token's code, whatever its system, or of a URI. */
export function tokenHash(type: string, code: string, value: string): bigint {
  return hash64(`${type}.${code}=${value}`);
}

/** The bits of `self` that the time of an id takes, and the milliseconds for which they stay the same: 16 seconds. */
const timeBits = 10;
const timeTick = 2 ** 14;
const hashBits = BigInt(64 - timeBits);

/**
 * `resource.self`: the hash of a resource's own type and id. Of an id with a time in it (UUID version 7) the time leads,
 * anew every five hours: resources made together, and references to them, lie together in their indexes, whose other
 * pages rest. It takes few bits, so that among what is made within 16 seconds two share a hash once in 2^54.
 */
export function selfHash(type: string, rid: string): bigint {
  const hash = hash64(`${type}/${rid}`);
  if (rid[14] !== '7') return hash;
  const time = Number.parseInt(rid.slice(0, 8), 16) * 2 ** 16 + Number.parseInt(rid.slice(9, 13), 16);
  const tick = Math.floor(time / timeTick) % 2 ** timeBits;
  return BigInt.asIntN(64, (BigInt(tick) << hashBits) | BigInt.asUintN(Number(hashBits), hash));
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
    mask = hash64(`${type}.${partOf?.target === targetType ? partOf.code : code}=>`);
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
    hash = hash64(text);
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
