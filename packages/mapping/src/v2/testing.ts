/** What tests of the mapping share: a message of some segments, converted, its resources held to R4. */
import { validate } from '@causeway/fhir';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { expect } from 'vitest';
import type { Conversion } from '../conversion.ts';
import { convertV2 } from './convert.ts';

// biome-ignore lint/suspicious/noExplicitAny: resources of any type are looked into
export type Resource = Record<string, any>;

/** Converts; every resource is valid and refers to nothing that is not there. */
export function convert(type: string, ...segments: string[]): Conversion {
  const message = parseMessage(
    [`MSH|^~\\&|APP|HARBOR|HUB|REGION|20260305101500||${type}|C1|P|2.8`, ...segments].join('\r'),
  );
  if (isParseError(message)) throw new Error(message.message);
  const conversion = convertV2(message, {
    source: 'harbor',
    receivedAt: '2026-03-05T12:00:00Z',
    messageUri: 'urn:causeway:message:1',
  });
  const known = new Set(conversion.facts.map(({ resource }) => `${resource.resourceType}/${resource.id}`));
  for (const { resource } of conversion.facts) {
    expect(validate(resource).filter(({ severity }) => severity === 'error')).toEqual([]);
    for (const [, reference] of JSON.stringify(resource).matchAll(/"reference":"([A-Z][^"]+)"/g))
      expect(known).toContain(reference);
  }
  return conversion;
}

/** The resources of a type. */
export function all(conversion: Conversion, type: string): Resource[] {
  return conversion.facts.filter((one) => one.resource.resourceType === type).map((one) => one.resource);
}

/** The only resource of a type. */
export function one(conversion: Conversion, type: string): Resource {
  const found = all(conversion, type);
  expect(found).toHaveLength(1);
  return found[0]!;
}
