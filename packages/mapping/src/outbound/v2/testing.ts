/** What tests of writing v2 share: messages read, converted, and written back. */
import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import type { Resource } from '@medplum/fhirtypes';
import { expect } from 'vitest';
import type { ConversionContext } from '../../conversion.ts';
import { convertV2 } from '../../v2/index.ts';
import type { Envelope } from '../envelope.ts';
import { writeV2 } from './write.ts';

export const context: ConversionContext = {
  source: 'the-clinic',
  receivedAt: '2026-03-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:1',
};

/** Passed on as it came. */
export const relay: Envelope = {
  controlId: 'OUT1',
  deliveryId: '01890000-0000-7000-8000-000000000001',
  time: '2026-03-01T00:00:00.000Z',
  kind: 'new',
  recipient: { patient: { resourceType: 'Patient' }, identifierSystem: 'urn:oid:2.999.7.1' },
  origin: { key: 'the-clinic', name: 'The Clinic' },
  relayed: true,
};

export const header = (type: string) =>
  `MSH|^~\\&|EHR^2.999.1^ISO|CLINIC|HUB|REGION|20260210080910+0100||${type}|C42|P|2.5.1`;
export const EVN = 'EVN||20260210080000+0100';
export const PID =
  'PID|1||P1^^^CLINIC&2.999.2&ISO^MR~999-12-3456^^^USSSA^SS||Quill^Ada^Rose^Jr^Dr^PHD^L~Penn^Ada^^^^^M||19700405|F|' +
  '||1 High St&&^Flat 2^Dorp^GE^1200^CH^H||+41791^PRN^PH~^NET^Internet^ada@example.org|+41222^WPN^PH|fr^French^ISO639|M|' +
  '|A77^^^CLINIC^AN';
export const PV1 =
  'PV1|1|I|W2^12^B^CLINIC|E|||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L|11^Baum^Eva|||||||||||V55^^^CLINIC^VN' +
  '|||||||||||||||||01||||||||20260209110000+0100';

export function read(lines: readonly string[]): Message {
  const message = parseMessage(new TextEncoder().encode(`${lines.join('\r')}\r`));
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

export function resourcesOf(message: Message): Resource[] {
  return convertV2(message, context).facts.map(({ resource }) => resource);
}

export function written(code: string, event: string, resources: Resource[], envelope = relay): Message {
  const bytes = writeV2({ code, event, resources }, envelope);
  if (typeof bytes === 'string') throw new Error(bytes);
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

/** Reads, converts, writes; asserts that what is written converts to the same resources. */
export function around(...lines: string[]): Message {
  const source = read(lines);
  const resources = resourcesOf(source);
  const back = written(source.type.code, source.type.event, resources);
  expect(resourcesOf(back).map(essence)).toEqual(resources.map(essence));
  return back;
}

/** A Provenance says more of the message than of the facts. */
function essence(resource: Resource): unknown {
  return resource.resourceType === 'Provenance' ? 'Provenance' : resource;
}

export const values = (message: Message, ...paths: string[]) => paths.map((path) => message.get(path));
