/**
 * Events of the audit log as FHIR R4 AuditEvents by IHE Basic Audit Log Patterns (https://profiles.ihe.net/ITI/BALP): one
 * for each Patient that an event is about, made when it is asked for. What the reader may not see of an event says that it is
 * masked.
 */
import { isResourceType } from '@causeway/fhir';
import type {
  AuditEvent,
  AuditEventAgent,
  AuditEventEntity,
  Coding,
  Device,
  Extension,
  Reference,
} from '@medplum/fhirtypes';
import type { AuditedEvent } from '../audit/index.ts';
import { deliveredTo } from './holds.ts';
import { kindOf, type Pattern } from './kinds.ts';

const terminology = 'http://terminology.hl7.org/CodeSystem';
const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
const balp = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
/** What the hub itself calls what was done. */
export const actionSystem = 'urn:causeway:audit-action';
export const accountSystem = 'urn:causeway:account';
export const clientSystem = 'urn:causeway:client';
export const organizationSystem = 'urn:causeway:participant';

/** The profiles of IHE that AuditEvents of the log follow. */
export const auditEventProfiles: readonly string[] = [
  ...(['Read', 'Query', 'Create', 'Update', 'Delete'] as const).flatMap((pattern) => [
    `${balp}${pattern}`,
    `${balp}Patient${pattern}`,
  ]),
  `${balp}PrivacyDisclosure.Source`,
  `${balp}OAUTHaccessTokenUse.Minimal`,
  `${balp}OAUTHaccessTokenUse.Comprehensive`,
];

/** A user by an access token. */
const tokenUser: Coding = {
  system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes',
  code: 'UserOauthAgent',
};

/** What a reader is shown of an event. */
export interface Shown {
  /** The base of the server's addresses. */
  base: string;
  /** Whether the reader may see what was asked for, and everybody whom it is about. */
  isWhole: boolean;
  /** Whether the reader may see from what network address, and by which token; those are of whoever asked. */
  seesOrigin: boolean;
}

/** The roles of client and server in each pattern. */
const roles: Record<Pattern, { client: Coding; server: Coding; user: Coding; action: AuditEvent['action'] }> = {
  Read: { client: dcm('110152'), server: dcm('110153'), user: participation('IRCP'), action: 'R' },
  Query: { client: dcm('110153'), server: dcm('110152'), user: participation('IRCP'), action: 'E' },
  Create: { client: dcm('110153'), server: dcm('110152'), user: participation('AUT'), action: 'C' },
  Update: { client: dcm('110153'), server: dcm('110152'), user: participation('AUT'), action: 'U' },
  Delete: {
    client: dcm('110150'),
    server: { system: `${terminology}/provenance-participant-type`, code: 'custodian' },
    user: participation('AUT'),
    action: 'D',
  },
  Disclosure: { client: dcm('110152'), server: dcm('110153'), user: participation('IRCP'), action: 'R' },
  Other: { client: dcm('110153'), server: dcm('110152'), user: participation('IRCP'), action: 'E' },
};

/** The id of an event's AuditEvent; of its patient where it is about any. */
export function auditEventId({ row, place }: Pick<AuditedEvent, 'row' | 'place'>, patient?: number): string {
  return `log-${row}-${place}${patient === undefined ? '' : `-${patient}`}`;
}

/** Where the event of an AuditEvent's id is; undefined where the id is none of the log's. */
export function readAuditEventId(id: string): { row: number; place: number; patient: number | undefined } | undefined {
  const [, row, place, patient] = /^log-(\d{1,15})-(\d{1,4})(?:-(\d{1,3}))?$/.exec(id) ?? [];
  if (row === undefined) return undefined;
  return { row: Number(row), place: Number(place), patient: patient === undefined ? undefined : Number(patient) };
}

/** The AuditEvent of an event. @param patient which of its patients, where it is about any */
export function auditEventOf(
  audited: AuditedEvent,
  patient: { index: number; id: string } | undefined,
  { base, isWhole, seesOrigin }: Shown,
): AuditEvent {
  const { event, index } = audited;
  const who = isWhole ? audited.entry.who : event.who;
  const kind = kindOf(event.action);
  const isDone = event.status < 400;
  const observer: Reference<Device> = { identifier: { system: 'urn:ietf:rfc:3986', value: base }, display: 'Causeway' };
  const agent = agentsOf(audited, kind.pattern, { who, isWhole, seesOrigin }, observer);
  const profile = [
    ...((isDone && profileOf(kind.pattern, patient !== undefined)) || []),
    ...(event.client === undefined ? [] : tokenProfiles(agent)),
  ];
  return {
    resourceType: 'AuditEvent',
    id: auditEventId(audited, patient?.index),
    meta: { versionId: '1', lastUpdated: event.at, ...(profile.length > 0 ? { profile } : {}) },
    type: kind.type,
    subtype: [...(kind.subtype ? [kind.subtype] : []), { system: actionSystem, code: event.action }],
    action: roles[kind.pattern].action,
    recorded: event.at,
    outcome: isDone ? '0' : event.status < 500 ? '4' : '8',
    ...(isDone ? {} : { outcomeDesc: `It was answered with ${event.status}.` }),
    ...(event.purpose ? { purposeOfEvent: [{ coding: [reasonOf(event.purpose)] }] } : {}),
    agent: agent as AuditEvent['agent'],
    source: { observer, type: [{ system: `${terminology}/security-source-type`, code: '4' }] },
    entity: [
      ...(patient ? [patientEntity(patient.id)] : []),
      objectOf(audited, kind.pattern, isWhole),
      ...(event.emergency === undefined ? [] : [named('emergency', 'An emergency access', event.emergency)]),
      ...(['policy', 'agreements', 'consents'] as const).flatMap((part) =>
        event[part] === undefined ? [] : [named(part, decidedWords[part], String(event[part]))],
      ),
      ...(event.relationship === undefined ? [] : [named('relationship', 'What shows treatment', event.relationship)]),
      ...(index === undefined ? [] : [named('log-index', 'Its number in the audit log', String(index))]),
    ],
  };
}

/** What a decision's versions are called. */
const decidedWords = {
  policy: 'Version of the network’s policy',
  agreements: 'Last step of the agreements',
  consents: 'Last change of a consent',
};

function profileOf(pattern: Pattern, isOfPatient: boolean): string[] {
  if (pattern === 'Other') return [];
  if (pattern === 'Disclosure') return isOfPatient ? [`${balp}PrivacyDisclosure.Source`] : [];
  return [`${balp}${isOfPatient ? 'Patient' : ''}${pattern}`];
}

/** What IHE asks of an access by a token: the user with the token's id, for a comprehensive record the client too. */
function tokenProfiles(agents: readonly AuditEventAgent[]): string[] {
  const hasType = ({ type }: AuditEventAgent, code: string) => type?.coding?.some((one) => one.code === code);
  const isMinimal = agents.some((one) => hasType(one, tokenUser.code!) && one.policy !== undefined);
  const users = agents.filter((one) => hasType(one, 'IRCP'));
  const isComprehensive = users.every(({ who, policy }) => who?.identifier !== undefined && policy !== undefined);
  return [
    ...(isMinimal ? [`${balp}OAUTHaccessTokenUse.Minimal`] : []),
    ...(isComprehensive ? [`${balp}OAUTHaccessTokenUse.Comprehensive`] : []),
  ];
}

/** Who asked, by what, and who answered. */
function agentsOf(
  audited: AuditedEvent,
  pattern: Pattern,
  { who, isWhole, seesOrigin }: { who: string | undefined; isWhole: boolean; seesOrigin: boolean },
  observer: Reference<Device>,
): AuditEventAgent[] {
  const { event, entry } = audited;
  const { client, server, user } = roles[pattern];
  const isSent = event.action === 'deliver';
  const isAccount = isPerson(event.role) || !(isSent || /^(client|site):/.test(who ?? ''));
  const sentTo = isWhole ? deliveredTo(entry) : undefined;
  const network = networkOf(isSent ? undefined : entry.address, seesOrigin);
  const token = seesOrigin ? entry.token : undefined;
  return [
    {
      type: { coding: [client] },
      who: isSent ? destination(sentTo) : clientOf(audited, isAccount ? undefined : who),
      requestor: !isAccount && !isSent,
      network,
    },
    {
      type: { coding: [server] },
      who: observer,
      requestor: isSent,
      network: { address: observer.identifier!.value!, type: '5' },
    },
    ...(isAccount ? [userOf(audited, user, who, token)] : []),
    ...(event.client !== undefined && pattern !== 'Delete' ? [{ ...appOf(event.client), network }] : []),
  ];
}

function networkOf(address: string | undefined, isSeen: boolean): AuditEventAgent['network'] {
  if (address === undefined) return { extension: [absent('unknown')] };
  return isSeen ? { address, type: '2' } : { extension: [absent('masked')] };
}

function destination(key: string | undefined): Reference<Device> {
  return key === undefined
    ? { extension: [absent('masked')], display: 'An organisation' }
    : { identifier: { system: organizationSystem, value: key }, display: key };
}

/** What asked: an app, an organisation's system, or the pages of the hub. */
function clientOf({ event }: AuditedEvent, system: string | undefined): Reference<Device> {
  if (event.client !== undefined) return { identifier: { system: clientSystem, value: event.client } };
  if (system !== undefined) return { identifier: { system: accountSystem, value: system } };
  return { display: 'Pages of the hub, or a script' };
}

function userOf(
  { event }: AuditedEvent,
  type: Coding,
  who: string | undefined,
  token: string | undefined,
): AuditEventAgent {
  const { role, organization, purpose } = event;
  return {
    type: { coding: token === undefined ? [type] : [type, tokenUser] },
    role: [
      { coding: [{ system: 'urn:causeway:role', code: role }] },
      { coding: [{ system: organizationSystem, code: organization }] },
    ],
    who:
      who === undefined
        ? { extension: [absent('masked')], display: role }
        : { identifier: { system: accountSystem, value: who }, display: who },
    ...(who === undefined ? {} : { name: who }),
    requestor: true,
    ...(token === undefined ? {} : { policy: [`urn:ietf:params:oauth:jti:${token}`] }),
    ...(purpose ? { purposeOfUse: [{ coding: [reasonOf(purpose)] }] } : {}),
  };
}

function appOf(client: string): AuditEventAgent {
  return {
    type: { coding: [dcm('110150')] },
    who: { identifier: { system: clientSystem, value: client } },
    requestor: false,
  };
}

function patientEntity(id: string): AuditEventEntity {
  return {
    what: { reference: `Patient/${id}` },
    type: { system: `${terminology}/audit-entity-type`, code: '1' },
    role: { system: `${terminology}/object-role`, code: '1' },
  };
}

const systemObject: Coding = { system: `${terminology}/audit-entity-type`, code: '2' };

/** What was asked for, or done to. */
function objectOf({ event, entry }: AuditedEvent, pattern: Pattern, isWhole: boolean): AuditEventEntity {
  const what = isWhole ? entry.what : undefined;
  if (pattern === 'Query' || pattern === 'Other') {
    return {
      type: systemObject,
      role: { system: `${terminology}/object-role`, code: '24' },
      ...(what === undefined
        ? { _query: { extension: [absent('masked')] } }
        : { query: Buffer.from(what).toString('base64') }),
    } as AuditEventEntity;
  }
  const role = { system: `${terminology}/object-role`, code: pattern === 'Disclosure' ? '3' : '4' };
  return { type: systemObject, role, what: resourceOf(what, event.type) };
}

/** The resource that an address names, as far as it may be shown. */
function resourceOf(what: string | undefined, type: string | undefined): Reference {
  const kind = type === undefined ? {} : { type: type as Reference['type'] };
  if (what === undefined) return { extension: [absent('masked')], ...kind, display: type ?? 'sealed' };
  const [, named = '', id = ''] = /^\/?([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?=[/?\s]|$)/.exec(what) ?? [];
  if (isResourceType(named)) return { reference: `${named}/${id}` };
  return { ...kind, display: what };
}

function named(type: string, name: string, value: string): AuditEventEntity {
  return {
    type: { system: `${terminology}/audit-entity-type`, code: '4' },
    name,
    detail: [{ type, valueString: value }],
  };
}

function isPerson(role: string): boolean {
  return role === 'patient' || role === 'proxy';
}

function reasonOf(purpose: string): Coding {
  return { system: `${terminology}/v3-ActReason`, code: purpose };
}

function participation(code: string): Coding {
  return { system: `${terminology}/v3-ParticipationType`, code };
}

function dcm(code: string): Coding {
  return { system: dicom, code };
}

function absent(valueCode: 'masked' | 'unknown'): Extension {
  return { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode };
}
