/**
 * Synthea's transaction bundles, read in place from the archive of the shared cases (`patients-60.tar.zst`): a tar of
 * JSON files (POSIX pax, ustar headers), compressed by Zstandard. Nothing of it is kept in this repository.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Bundle, Patient } from '@medplum/fhirtypes';

export const syntheaArchive = join(import.meta.dirname, '../../../shared/cases/synthea/patients-60.tar.zst');

export interface SyntheaBundles {
  /** Hospitals, then practitioners: what the people's bundles rely on. */
  first: Bundle[];
  people: Bundle[];
}

/** Reads the archive; hospitals and practitioners apart from people. */
export function readSynthea(path: string): SyntheaBundles {
  const found: SyntheaBundles = { first: [], people: [] };
  for (const { name, bytes } of filesOf(zstdDecompressSync(readFileSync(path)))) {
    const bundle = JSON.parse(bytes.toString('utf8')) as Bundle;
    if (/^(hospital|practitioner)Information/.test(name)) found.first.push(bundle);
    else found.people.push(bundle);
  }
  return found;
}

/**
 * The bundle's JSON told of somebody else: another name, birth date and other identifiers in every resource, so that
 * loading it again makes a new person. The same mark makes the same person.
 */
export function toldOfAnother(bundle: Bundle, mark: string): string {
  const days = [...mark].reduce((sum, character) => (sum * 31 + character.codePointAt(0)!) % 20_000, 7);
  const entry = bundle.entry?.map((one) => {
    const resource = one.resource as Patient & { identifier?: unknown };
    const identifier = Array.isArray(resource.identifier)
      ? resource.identifier.map((known) => ({ ...known, value: `${known.value}-${mark}` }))
      : resource.identifier;
    const renamed = identifier === undefined ? resource : { ...resource, identifier };
    return {
      ...one,
      resource: resource.resourceType === 'Patient' ? another(renamed as Patient, mark, days) : renamed,
    };
  });
  return JSON.stringify({ ...bundle, entry });
}

function another(patient: Patient, mark: string, days: number): Patient {
  const letters = [...mark].map((character) => String.fromCharCode(97 + (character.codePointAt(0)! % 26))).join('');
  const birthDate = new Date(Date.UTC(1925, 0, 1 + ((days * 7919) % 33_000))).toISOString().slice(0, 10);
  const name = patient.name?.map((one) => ({ ...one, family: `${one.family}${letters}`, given: [`Q${letters}`] }));
  const telecom = patient.telecom?.map((one) => ({ ...one, value: `${one.value}-${mark}` }));
  const address = patient.address?.map((one) => ({ ...one, line: [`${days} ${letters} Street`] }));
  return { ...patient, birthDate, ...(name && { name }), ...(telecom && { telecom }), ...(address && { address }) };
}

const block = 512;

/** The regular files of a tar, by name. */
export function* filesOf(tar: Buffer): Generator<{ name: string; bytes: Buffer }> {
  for (let at = 0; at + block <= tar.length; ) {
    const name = text(tar, at, 100);
    if (name === '') return;
    const size = Number.parseInt(text(tar, at + 124, 12), 8);
    const kind = text(tar, at + 156, 1);
    const begin = at + block;
    if (kind === '0' || kind === '') yield { name, bytes: tar.subarray(begin, begin + size) };
    at = begin + Math.ceil(size / block) * block;
  }
}

function text(tar: Buffer, at: number, length: number): string {
  const field = tar.toString('utf8', at, at + length);
  const end = field.indexOf('\0');
  return (end < 0 ? field : field.slice(0, end)).trim();
}
