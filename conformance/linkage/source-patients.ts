/**
 * The Patients that the region's messages state, as a record would hold them after the last one: messages are read and
 * converted as the hub does, one after another, and only Patients are kept.
 */
import { parseCda } from '@causeway/ccda';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import {
  type Conversion,
  type ConversionContext,
  convertCcda,
  convertFhir,
  convertV2,
  type Fact,
} from '@causeway/mapping';
import { messages, type RegionMessage, type Site, sites } from '@causeway/region';
import type { Patient } from '@medplum/fhirtypes';

export interface SourcePatients {
  /** By `site Patient-id`. */
  patients: Map<string, { site: string; patient: Patient }>;
  /** Pairs that the sites themselves declared one. */
  merged: [string, string][];
  messages: number;
  /** Messages that could not be read or converted, with the reason. */
  refused: { controlId: string; reason: string }[];
}

/** Reads every message of a region of this many people. */
export function sourcePatients(people: number): SourcePatients {
  const held: SourcePatients = { patients: new Map(), merged: [], messages: 0, refused: [] };
  for (const { message, conversion } of regionConversions(people)) {
    held.messages++;
    if (typeof conversion === 'string') {
      held.refused.push({ controlId: message.controlId, reason: conversion });
      continue;
    }
    for (const fact of conversion.facts) {
      if (fact.resource.resourceType === 'Patient') take(held, message.site, fact);
    }
    for (const event of conversion.identityEvents) {
      if (event.kind === 'merge')
        held.merged.push([keyOf(message.site, event.surviving), keyOf(message.site, event.retired)]);
      else if (event.kind === 'move')
        held.merged.push([keyOf(message.site, event.to), keyOf(message.site, event.patient)]);
      else if (event.kind === 'link') held.merged.push([keyOf(message.site, event.a), keyOf(message.site, event.b)]);
    }
  }
  held.merged = held.merged.filter((pair) => pair.every((key) => held.patients.has(key)));
  return held;
}

/** Every message of a region of this many people with what it is converted to, or why it is not. */
export function* regionConversions(
  people: number,
): Generator<{ message: RegionMessage; conversion: Conversion | string }> {
  const contexts = new Map(sites().map((site) => [site.key as string, contextOf(site)]));
  for (const message of messages({ people })) {
    yield { message, conversion: convert(message, { ...contexts.get(message.site)!, receivedAt: message.at }) };
  }
}

function contextOf({ key, timeZone, identifierAuthority, identifierSystem }: Site): ConversionContext {
  return {
    source: key,
    receivedAt: '',
    timeZone,
    messageUri: 'urn:causeway:message:conformance',
    identifierSystems: { [identifierAuthority]: identifierSystem },
  };
}

function convert({ dialect, body }: RegionMessage, context: ConversionContext): Conversion | string {
  if (dialect === 'fhir') return convertFhir(body, context);
  if (dialect === 'hl7v2') {
    const message = parseMessage(Buffer.from(body));
    return isParseError(message) ? message.message : convertV2(message, context);
  }
  const parsed = parseCda(Buffer.from(body));
  return parsed.ok ? convertCcda(parsed.document, context) : parsed.error.message;
}

function take({ patients }: SourcePatients, site: string, fact: Fact): void {
  // Strings cut from a message keep the whole message in memory; a copy through text does not.
  const patient = JSON.parse(JSON.stringify(fact.resource)) as Patient;
  const key = keyOf(site, patient.id!);
  const known = patients.get(key)?.patient;
  if (known === undefined || fact.mode === 'replace') patients.set(key, { site, patient });
  else if (fact.mode === 'merge') patients.set(key, { site, patient: merged(known, patient, fact) });
}

function keyOf(site: string, id: string): string {
  return `${site} ${id.replace(/^Patient\//, '')}`;
}

/** Elements stated replace theirs, deleted ones go, the rest stays; identifiers join by their system. */
function merged(known: Patient, stated: Patient, { clears = [], defaults = [] }: Fact): Patient {
  const result: Record<string, unknown> = { ...known };
  for (const clear of clears) delete result[clear.replace(/\[.*/, '')];
  for (const [element, value] of Object.entries(stated)) {
    if (!(defaults.includes(element) && result[element] !== undefined)) result[element] = value;
  }
  const systems = new Set(stated.identifier?.map(({ system }) => system));
  const kept = (known.identifier ?? []).filter(({ system }) => !systems.has(system));
  result.identifier = [...(stated.identifier ?? []), ...kept];
  return result as unknown as Patient;
}
