/** MSH, SFT and EVN: our own as the sender, or those of the message that is passed on as it came. */
import type { FieldValue, HeaderValues, LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { repetitions } from '@causeway/hl7v2';
import { EVN, SFT } from '../../../v2/tables/message.ts';
import type { Envelope } from '../../envelope.ts';
import { compileBack } from '../engine.ts';
import { childOf, type Element, hasCode, listOf, textOf } from '../record.ts';
import { decoded, universalOf, writeAuthority } from '../values/identifiers.ts';
import { organizationOf, writeOrganization } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import type { Sheet } from './sheet.ts';

const evnRows = compileBack(EVN, { skip: ['EVN-6'] });
const sftRows = compileBack(SFT);

/** MSH of Causeway's own messages. */
export function ownHeader(envelope: Envelope, type: readonly string[], version: string): HeaderValues {
  const { recipient } = envelope;
  return {
    sendingApplication: 'CAUSEWAY',
    sendingFacility: 'HUB',
    receivingApplication: recipient.application,
    receivingFacility: recipient.facility,
    time: writeDateTime(envelope.time),
    type,
    controlId: envelope.controlId,
    version,
  };
}

/** MSH as the Provenance of the message and the MessageHeader in it say. */
export function relayedHeader(
  sheet: Sheet,
  envelope: Envelope,
  type: readonly string[],
  version: string,
): HeaderValues {
  const { provenance } = sheet;
  const own = ownHeader(envelope, type, version);
  const header = listOf(provenance, 'contained')[0];
  if (provenance === undefined || header === undefined) return own;
  const source = childOf(header, 'source');
  const destination = listOf(header, 'destination')[0];
  const sender = organizationOf(header.sender, sheet);
  const receiver = organizationOf(destination?.receiver, sheet);
  const isNumbered = listOf(receiver, 'identifier').some(({ system }) => system !== 'urn:ietf:rfc:3986');
  const agents = listOf(provenance, 'agent');
  const assembler = agents.find(({ type: kind }) => hasCode(kind, 'assembler'));
  const recipient = agents.find(({ type: kind }) => textOf(kind, 'text') === 'receiving facility');
  const facility = organizationOf(recipient?.who, sheet);
  const address = agents.find(({ type: kind }) => textOf(kind, 'text') === 'sending network address');
  const application = textOf(childOf(childOf(assembler, 'who'), 'identifier'), 'value');
  const target = childOf(destination, 'target');
  const targetId = textOf(childOf(target, 'identifier'), 'value');
  const tags = listOf(childOf(header, 'meta'), 'tag');
  const processing = tags.find(({ system }) => String(system).endsWith('/v2-0103'));
  const profiles = tags.filter((tag) => tag !== processing);
  const fields: Record<number, FieldValue> = {
    8: textOf(listOf(childOf(provenance, 'meta'), 'security')[0], 'display'),
    17: textOf(listOf(sender, 'address')[0], 'country'),
    19: textOf(header, 'language'),
    21: repetitions(...profiles.map((tag) => profileOf(tag))),
    22: header.responsible === undefined ? undefined : writeOrganization(header.responsible, sheet),
    23: isNumbered || facility !== undefined ? writeOrganization(destination?.receiver, sheet) : undefined,
    24: networkAddress(source, application, textOf(childOf(address, 'who'), 'display')),
    25: networkAddress(destination, targetId, textOf(target, 'display')),
  };
  return {
    ...own,
    sendingApplication: applicationOf(source, application),
    sendingFacility: writeAuthority(sender),
    receivingApplication: applicationOf(destination, targetId),
    receivingFacility: writeAuthority(facility ?? receiver),
    time: writeDateTime(provenance.recorded),
    controlId: textOf(childOf(listOf(provenance, 'entity')[0], 'what'), 'display') ?? envelope.controlId,
    processingId: textOf(processing, 'code') ?? 'P',
    fields,
  };
}

/** HD: the universal id is that of an application of its own, else the endpoint itself when it is no address of ours. */
function applicationOf(endpoint: Element | undefined, universal: string | undefined): RepetitionValue {
  const name = textOf(endpoint, 'name');
  if (universal !== undefined) return [name, ...universalOf(universal)];
  const address = textOf(endpoint, 'endpoint');
  if (address === undefined || address.startsWith('urn:causeway:application:')) return [name];
  return [name, ...universalOf(address)];
}

/** MSH-24 and MSH-25: a network address beside the application, by name or by universal id. */
function networkAddress(
  of: Element | undefined,
  application: string | undefined,
  name: string | undefined,
): RepetitionValue {
  const endpoint = textOf(of, 'endpoint');
  const local = /^urn:causeway:application:[^:]*:(.+)$/.exec(endpoint ?? '')?.[1];
  if (local !== undefined) return local === 'unknown' || decoded(local) === textOf(of, 'name') ? name : decoded(local);
  if (endpoint === undefined) return undefined;
  return application === undefined && name === undefined ? undefined : [name, ...universalOf(endpoint)];
}

function profileOf(tag: Element): LeafValue[] {
  return [textOf(tag, 'code'), '', ...universalOf(textOf(tag, 'system'))];
}

/** SFT of each software that made the message. */
export function writeSoftware(sheet: Sheet): void {
  for (const agent of listOf(sheet.provenance, 'agent')) {
    const device = sheet.record.resolve(agent.who);
    if (device?.resourceType !== 'Device' || !hasCode(agent.type, 'assembler')) continue;
    sheet.add('SFT', (fields) => sftRows(device, fields, sheet));
  }
}

/** EVN: when the event was recorded, and who did so where and why. */
export function writeEvent(sheet: Sheet, envelope: Envelope): void {
  sheet.add('EVN', (fields) => {
    fields.add(1, sheet.event);
    const occurred = writeDateTime(sheet.relayed ? sheet.provenance?.occurredDateTime : undefined);
    const time = occurred === '' ? writeDateTime(envelope.time) : occurred;
    fields.add(2, time);
    if (sheet.relayed) fields.add(6, time);
    if (sheet.provenance !== undefined) evnRows(sheet.provenance, fields, sheet);
  });
}
