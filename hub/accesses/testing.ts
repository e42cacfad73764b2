/** What IHE Basic Audit Log Patterns 1.1.5 asks of an AuditEvent by the profile that it claims, for tests. */
import type { AuditEvent, AuditEventAgent, Coding, Extension } from '@medplum/fhirtypes';

const dcm = 'http://dicom.nema.org/resources/ontology/DCM';
const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const objectRole = 'http://terminology.hl7.org/CodeSystem/object-role';
const tokenUser = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes|UserOauthAgent';
const rest = 'http://hl7.org/fhir/restful-interaction';

interface Rules {
  subtypes: [system: string, codes: string[]];
  action: string;
  client: string;
  server: string;
  users: string[];
  object: 'data' | 'query' | 'any';
}

const author = ['AUT', 'INF', 'CST'].map((code) => `${participation}|${code}`);
const recipient = [`${participation}|IRCP`];
const rules: { [pattern: string]: Rules } = {
  Read: rule([rest, ['read', 'vread']], 'R', '110152', '110153', recipient, 'data'),
  Query: rule([rest, ['search', 'search-type', 'search-system']], 'E', '110153', '110152', recipient, 'query'),
  Create: rule([rest, ['create']], 'C', '110153', '110152', author, 'data'),
  Update: rule([rest, ['update', 'patch']], 'U', '110153', '110152', author, 'data'),
  Delete: {
    ...rule([rest, ['delete']], 'D', '110150', '', author, 'data'),
    server: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type|custodian',
  },
  'PrivacyDisclosure.Source': rule(
    ['http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', ['disclose']],
    'R',
    '110152',
    '110153',
    recipient,
    'any',
  ),
};

/** What does not hold of the profiles that an AuditEvent claims; empty where all does. */
export function balpFaults(event: AuditEvent): string[] {
  return (event.meta?.profile ?? []).flatMap((url) => {
    const name = /IHE\.BasicAudit\.(.+)$/.exec(url)?.[1] ?? '';
    if (name.startsWith('OAUTH')) return tokenFaults(event, name.endsWith('Minimal'));
    const isOfPatient = name.startsWith('Patient') || name.startsWith('Privacy');
    const rule = rules[name.replace(/^Patient/, '')];
    if (!rule) return [`${url} is no profile that is known here`];
    return faultsBy(event, rule, isOfPatient, name.startsWith('Privacy'));
  });
}

function faultsBy(event: AuditEvent, rule: Rules, isOfPatient: boolean, isDisclosure: boolean): string[] {
  const { agent = [], entity = [], subtype = [], type, source } = event;
  const faults: string[] = [];
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  const wantedType = isDisclosure ? `${dcm}|110106` : 'http://terminology.hl7.org/CodeSystem/audit-event-type|rest';
  check(text(type) === wantedType, 'type');
  const [system, codes] = rule.subtypes;
  check(subtype.filter((one) => one.system === system && codes.includes(one.code!)).length === 1, 'subtype 1..1');
  check(event.action === rule.action, 'action');
  check(event.recorded !== undefined, 'recorded');
  check(event.outcome === '0', 'outcome');
  check(source?.observer !== undefined, 'source.observer');
  const ofType = (wanted: string) => agent.filter((one) => one.type?.coding?.some((coding) => text(coding) === wanted));
  for (const wanted of [rule.client, rule.server]) {
    const found = ofType(wanted);
    check(found.length === 1, `agent ${wanted} 1..1`);
    check(hasContent(found[0]?.who), `who of agent ${wanted}`);
    check(hasContent(found[0]?.network), `network of agent ${wanted}`);
  }
  check(
    agent.every((one) => typeof one.requestor === 'boolean' && one.media === undefined),
    'requestor, no media',
  );
  const users = rule.users.flatMap(ofType) as AuditEventAgent[];
  check(users.length <= 1, 'user 0..1');
  check(
    users.every((user) => user.requestor && hasContent(user.who) && !user.network),
    'user',
  );
  const patients = entity.filter((one) => text(one.type) === `${entityType}|1`);
  if (isOfPatient) {
    check(entity.length >= 2, 'entity 2..*');
    check(patients.length === 1 && text(patients[0]!.role) === `${objectRole}|1`, 'patient 1..1');
    check(/^Patient\/[^/]+$/.test(patients[0]?.what?.reference ?? ''), 'what of patient');
  }
  const objects = entity.filter((one) => text(one.type) === `${entityType}|2`);
  if (rule.object !== 'any') check(objects.length === 1, 'data or query 1..1');
  const [object] = objects as ({ _query?: { extension: Extension[] } } & (typeof objects)[number])[];
  if (rule.object === 'data') {
    check(hasContent(object?.what), 'what of data');
    check(
      ['3', '4', '20'].some((code) => text(object?.role) === `${objectRole}|${code}`),
      'role of data',
    );
  }
  if (rule.object === 'query') {
    check(text(object?.role) === `${objectRole}|24`, 'role of query');
    check(object?.query !== undefined || object?._query !== undefined, 'query 1..1');
    check(object?.what === undefined && object?.detail === undefined, 'query has no what and no detail');
  }
  if (isDisclosure) {
    const [own] = ofType(`${dcm}|110153`);
    check(JSON.stringify(own?.who) === JSON.stringify(source?.observer), 'val-audit-source');
  }
  return faults;
}

/** OAUTHaccessTokenUse.Minimal, or .Comprehensive. */
function tokenFaults({ agent = [] }: AuditEvent, isMinimal: boolean): string[] {
  const ofType = (wanted: string) => agent.filter((one) => one.type?.coding?.some((coding) => text(coding) === wanted));
  const faults: string[] = [];
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  const users = ofType(isMinimal ? tokenUser : `${participation}|IRCP`);
  check(isMinimal ? users.length >= 1 : users.length <= 1, 'oUser');
  for (const { requestor, policy = [], media, network, who } of users) {
    check(requestor && media === undefined && network === undefined, 'requestor of oUser, no media, no network');
    check(policy.length === 1 && /^urn:ietf:params:oauth:jti:./.test(policy[0]!), 'policy of oUser 1..1');
    check(isMinimal || who?.identifier?.value !== undefined, 'identifier of oUser');
  }
  if (isMinimal) return faults;
  const clients = ofType(`${dcm}|110150`);
  check(clients.length === 1, 'oClient 1..1');
  check(clients[0]?.who?.identifier?.value !== undefined, 'identifier of oClient');
  check(clients[0]?.media === undefined, 'no media of oClient');
  return faults;
}

function rule(
  subtypes: Rules['subtypes'],
  action: string,
  client: string,
  server: string,
  users: string[],
  object: Rules['object'],
): Rules {
  return { subtypes, action, client: `${dcm}|${client}`, server: `${dcm}|${server}`, users, object };
}

function text(coding: Coding | undefined): string {
  return `${coding?.system}|${coding?.code}`;
}

function hasContent(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}
