/** MSH, EVN, SFT: the Provenance of the message, with its MessageHeader contained. */
import { Cell } from '../cell.ts';
import { toFhirDateTime } from '../datatypes/datetime.ts';
import { encodePart, universalSystem } from '../datatypes/identifier.ts';
import { readAuthorityOrganization, readOrganization } from '../datatypes/party.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceSegment } from '../source.ts';
import { ADT_EVENTS } from '../tables/events.ts';
import { EVN, MSH, ORC_AGENTS, ORC_ENTRY, SFT } from '../tables/message.ts';
import { cellOf } from './patient.ts';
import { peek, type State } from './state.ts';

const mshRows = compileRows(MSH);
const orcRows = compileRows([...ORC_AGENTS, ...ORC_ENTRY]);
const softwareRows = compileRows(SFT);
const evnRows = compileRows(EVN);
const AGENT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/**
 * The Provenance that says who told us, when, and in which message; its targets are the clinical facts.
 * @param state after all segments are handled
 */
export function provenance(state: State): Draft {
  const run = state.run;
  const draft = run.draft('Provenance', 'replace', 'message', run.context.messageUri);
  const msh = state.segments.find((segment) => segment.name === 'MSH');
  const targets = [...run.drafts.values()]
    .filter((item) => item.clinical && item !== draft)
    .map((item) => item.reference);
  draft.resource.target = targets.length > 0 ? targets : [{ display: 'No clinical content' }];
  draft.resource.recorded = run.context.receivedAt;
  draft.resource.activity = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: activityOf(state) }],
  };
  const header: Element = { resourceType: 'MessageHeader', id: 'message' };
  draft.resource.contained = [header];
  draft.resource.entity = [
    {
      role: 'source',
      what: { reference: '#message', identifier: { system: 'urn:ietf:rfc:3986', value: run.context.messageUri } },
    },
  ];
  const agents: Element[] = [];
  if (msh !== undefined) fillHeader(msh, header, draft, agents, state);
  else {
    header.eventCoding = { code: 'unknown' };
    header.source = { endpoint: `urn:causeway:application:${run.context.source}:unknown` };
  }
  for (const segment of state.segments) {
    if (segment.name === 'EVN') recordedEvent(segment, draft, run);
    else if (segment.name === 'SFT') software(segment, header, run, draft);
    else if (segment.name === 'ORC') orcRows(segment, draft, run);
  }
  const stated = (draft.resource.agent as Element[] | undefined) ?? [];
  const all = [...agents, ...stated];
  draft.resource.agent = all.length > 0 ? all : [{ who: { display: run.context.source } }];
  return draft;
}

/** What the message does to the record, as a v3 data operation. */
function activityOf(state: State): string {
  if (state.code === 'ADT') return ADT_EVENTS[state.event]?.operation ?? 'UPDATE';
  if (['T01', 'T02', 'S12'].includes(state.event)) return 'CREATE';
  return state.event === 'T11' ? 'NULLIFY' : 'UPDATE';
}

function fillHeader(msh: SourceSegment, header: Element, draft: Draft, agents: Element[], state: State): void {
  const run = state.run;
  header.eventCoding = {
    system: 'http://terminology.hl7.org/CodeSystem/v2-0003',
    code: state.event === '' ? state.code || 'unknown' : state.event,
  };
  messageType(msh, header, draft, run);
  const entity = (draft.resource.entity as Element[])[0]!;
  const control = cellOf(msh, 10, run)?.at({ draft, base: 'entity[0].what.display' }).text('', 1);
  if (control !== undefined) (entity.what as Element).display = control;
  const at = (field: number, base: string) => cellOf(msh, field, run)?.at({ draft, base: `contained[0].${base}` });
  header.source = endpointOf(at(3, 'source'), at(24, 'source'), run);
  const destination = at(5, 'destination[0]');
  const receiving = msh.fields[6] !== undefined || msh.fields[23] !== undefined;
  if (destination !== undefined || msh.fields[25] !== undefined || receiving) {
    const made = endpointOf(destination, at(25, 'destination[0]'), run);
    const receiver = msh.fields[23] === undefined ? authority(cellOf(msh, 6, run)) : organization(cellOf(msh, 23, run));
    if (receiver !== undefined) made.receiver = receiver;
    const universal = destination?.peek(2);
    if (destination !== undefined && universal !== undefined && destination.atom(2)?.disposition !== 'mapped') {
      made.target = {
        identifier: { system: 'urn:ietf:rfc:3986', value: universalSystem(universal, destination.peek(3)) },
      };
      destination.text('target.identifier.value', 2);
      destination.used(3);
    }
    const address = at(25, 'destination[0].target');
    if (address?.peek(1) !== undefined && address.atom(1)?.disposition === 'kept')
      made.target = { ...(made.target as Element | undefined), display: address.text('display', 1) };
    header.destination = [made];
  }
  const sender = authority(cellOf(msh, 4, run));
  if (sender !== undefined) {
    header.sender = sender;
    agents.push({ type: { coding: [{ system: AGENT, code: 'author' }] }, who: sender });
  }
  const responsible = organization(cellOf(msh, 22, run));
  if (responsible !== undefined) header.responsible = responsible;
  const facility = msh.fields[23] === undefined ? undefined : authority(cellOf(msh, 6, run));
  if (facility !== undefined) agents.push({ type: { text: 'receiving facility' }, who: facility });
  country(msh, sender, run);
  application(msh, agents, draft, run);
  stamp(msh, draft, run);
  networkAddress(msh, agents, draft, run);
  const language = at(19, 'language');
  if (language?.peek(1) !== undefined && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/i.test(language.peek(1)!))
    header.language = language.text('', 1);
  processing(msh, header, draft, run);
  mshRows(msh, draft, run);
  const security = cellOf(msh, 8, run)?.at({ draft, base: 'meta.security[0].display' }).text('', 1);
  if (security !== undefined)
    draft.resource.meta = { ...(draft.resource.meta as Element), security: [{ display: security }] };
}

/** MSH-9 as it was written, beside the event's code. */
function messageType(msh: SourceSegment, header: Element, draft: Draft, run: Run): void {
  const cell = cellOf(msh, 9, run)?.at({ draft, base: 'contained[0].eventCoding' });
  if (cell?.peek(2) === undefined) return;
  const parts = [cell.text('display', 1), cell.text('code', 2), cell.text('display', 3)];
  header.eventCoding = {
    ...(header.eventCoding as Element),
    display: parts.filter((part) => part !== undefined).join('^'),
  };
}

/** MSH-17: the sender's country, as the organization's address. */
function country(msh: SourceSegment, sender: Element | undefined, run: Run): void {
  const cell = cellOf(msh, 17, run);
  const organization = run.referred(sender?.reference);
  const value = cell?.peek(1);
  if (cell === undefined || value === undefined || organization === undefined) return;
  const index = organization.append('address', { country: value });
  cell.at({ draft: organization, base: `address[${index}].country` }).text('', 1);
}

/** MSH-3 with a universal id of its own beside a network address (MSH-24): the application as assembling agent. */
function application(msh: SourceSegment, agents: Element[], draft: Draft, run: Run): void {
  const cell = cellOf(msh, 3, run);
  const universal = cell?.peek(2);
  if (cell === undefined || universal === undefined || cell.atom(2)?.disposition === 'mapped') return;
  const at = cell.at({ draft, base: `agent[${agents.length}].who.identifier` });
  at.text('value', 2);
  at.used(3);
  agents.push({
    type: { coding: [{ system: AGENT, code: 'assembler' }] },
    who: { identifier: { system: 'urn:ietf:rfc:3986', value: universalSystem(universal, cell.peek(3)) } },
  });
}

/** MSH-24.1 beside the application's own name: the network address the message was sent from, as an agent. */
function networkAddress(msh: SourceSegment, agents: Element[], draft: Draft, run: Run): void {
  const cell = cellOf(msh, 24, run);
  const name = cell?.peek(1);
  if (cell === undefined || name === undefined || cell.atom(1)?.disposition !== 'kept') return;
  cell.at({ draft, base: `agent[${agents.length}].who.display` }).text('', 1);
  agents.push({ type: { text: 'sending network address' }, who: { display: name } });
}

/** MSH-7: when the sender made the statement. */
function stamp(msh: SourceSegment, draft: Draft, run: Run): void {
  const cell = cellOf(msh, 7, run)?.at({ draft, base: 'recorded' });
  const sent = cell?.readDateTime(1)?.dateTime;
  if (sent !== undefined && sent.length > 10) draft.resource.recorded = cell?.dateTime('', 1);
  else cell?.used(1);
}

/** MSH-11 (production, training, debugging) and MSH-21 (profiles) as tags. */
function processing(msh: SourceSegment, header: Element, draft: Draft, run: Run): void {
  const cell = cellOf(msh, 11, run)?.at({ draft, base: 'contained[0].meta.tag[0].code' });
  const id = cell?.text('', 1);
  if (id !== undefined) header.meta = { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0103', code: id }] };
  for (const repetition of msh.fields[21] ?? []) {
    if (repetition === undefined) continue;
    const profile = new Cell(repetition, run, 'MSH-21', { draft, base: 'contained[0].meta.tag' });
    const code = profile.text('', 1) ?? profile.peek(3);
    if (code === undefined) continue;
    const system = profile.peek(3) === undefined ? undefined : universalSystem(profile.peek(3)!, profile.peek(4));
    profile.text('', 3);
    profile.used(4);
    header.meta ??= {};
    const meta = header.meta as { tag?: Element[] };
    meta.tag = [...(meta.tag ?? []), { ...(system && { system }), code }];
  }
}

/** An application: name and endpoint; the endpoint from its network address when that is given. */
function endpointOf(application: Cell | undefined, address: Cell | undefined, run: Run): Element {
  const made: Element = {};
  const name = application?.text('name', 1);
  if (name !== undefined) made.name = name;
  const given = address?.peek(2) ?? application?.peek(2);
  const type = address?.peek(2) === undefined ? application?.peek(3) : address?.peek(3);
  made.endpoint =
    given === undefined
      ? `urn:causeway:application:${run.context.source}:${encodePart(address?.peek(1) ?? name ?? 'unknown')}`
      : universalSystem(given, type);
  if (address?.peek(2) !== undefined) {
    address.text('endpoint', 2);
    address.used(3);
  } else if (application?.peek(2) !== undefined) {
    application.text('endpoint', 2);
    application.used(3);
  }
  if (address?.peek(1) !== undefined && given === undefined) address.text('endpoint', 1);
  if (made.name === undefined && address?.peek(1) !== undefined) made.name = address.text('name', 1);
  return made;
}

function authority(cell: Cell | undefined): Element | undefined {
  return cell === undefined ? undefined : readAuthorityOrganization(cell);
}

function organization(cell: Cell | undefined): Element | undefined {
  return cell === undefined ? undefined : readOrganization(cell);
}

/** EVN-2, the event's recording, stands as the time it occurred unless EVN-6 says better. */
function recordedEvent(segment: SourceSegment, draft: Draft, run: Run): void {
  evnRows(segment, draft, run);
  const cell = cellOf(segment, 2, run)?.at({ draft, base: 'occurredDateTime' });
  if (draft.resource.occurredDateTime !== undefined || cell === undefined) cell?.used(1);
  else {
    const time = cell.dateTime('', 1);
    if (time !== undefined) draft.resource.occurredDateTime = time;
  }
}

/** SFT: the software that made the message, as a Device and as the header's source. */
function software(segment: SourceSegment, header: Element, run: Run, draft: Draft): void {
  run.segment = segment;
  const source = header.source as Element;
  const name = peek(segment, 3);
  const version = peek(segment, 2);
  const vendor = peek(segment, 1);
  if (source.software === undefined && name !== undefined) source.software = name;
  if (source.version === undefined && version !== undefined) source.version = version;
  if (name === undefined && vendor === undefined) return;
  const device = run.draft(
    'Device',
    'reference',
    'software',
    vendor ?? '',
    name ?? '',
    version ?? '',
    peek(segment, 4) ?? '',
  );
  device.clinical = false;
  softwareRows(segment, device, run);
  const agents = (draft.resource.agent as Element[] | undefined) ?? [];
  agents.push({
    type: { coding: [{ system: AGENT, code: 'assembler' }] },
    who: { ...device.reference, ...(name !== undefined && { display: name }) },
  });
  draft.resource.agent = agents;
}

/** When the message says what it says: EVN-2 when it is a time not after MSH-7, else MSH-7, else when it was received. */
export function statementTimeOf(segments: readonly SourceSegment[], run: Run): string {
  const msh = segments.find((segment) => segment.name === 'MSH');
  const evn = segments.find((segment) => segment.name === 'EVN');
  const sent = instant(peek(msh, 7), run);
  const recorded = instant(peek(evn, 2), run);
  const received = Date.parse(run.context.receivedAt);
  const stated =
    recorded !== undefined && (sent === undefined || Date.parse(recorded) <= Date.parse(sent)) ? recorded : sent;
  if (stated === undefined) return run.context.receivedAt;
  if (Number.isFinite(received) && Date.parse(stated) > received + DAY_MS) {
    run.issue(
      'warning',
      'value',
      'MSH[1]-7',
      'The message is dated more than a day after it was received; the time of receipt is used instead.',
    );
    return run.context.receivedAt;
  }
  return stated;
}

const DAY_MS = 86_400_000;

function instant(value: string | undefined, run: Run): string | undefined {
  if (value === undefined) return undefined;
  const dateTime = toFhirDateTime(value, run.zone).dateTime;
  return dateTime === undefined || dateTime.length <= 10 ? undefined : dateTime;
}
