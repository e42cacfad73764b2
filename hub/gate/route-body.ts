/** The routes of an organisation, and where they end, as a body says them (see `hub/trust/routes.ts`). */
import { isAbsolute } from 'node:path';
import {
  refusedVersion,
  type V2MessageCode,
  type V2Version,
  v2MessageCodes,
  v2Versions,
} from '@causeway/mapping/versions';
import { isMailAddress } from '../mail/index.ts';
import { readFilter } from '../outbox/index.ts';
import { RecordError } from '../record/index.ts';
import {
  type AgreedPurpose,
  agreedPurposes,
  type CodeMap,
  type DirectPlace,
  type Endpoint,
  type EndpointTls,
  type FhirForm,
  type FilePlace,
  type FineTopic,
  fhirForms,
  fineTopics,
  type HttpPlace,
  type PickupPlace,
  type QuietHours,
  type Route,
  type ServicesClient,
  type SftpPlace,
  type Topic,
  topics,
  untoldBy,
  type V2Endpoint,
} from '../trust/index.ts';
import { type Body, object, only, text, wrong } from './body.ts';

const routesAtMost = 20;

/** @throws RecordError 400 */
export function readRoutes(value: unknown): Route[] {
  if (!Array.isArray(value) || value.length > routesAtMost) throw wrong('routes', `a list of at most ${routesAtMost}`);
  const routes = value.map((one, i) => readRoute(object(one, `routes[${i}]`), `routes[${i}]`));
  if (new Set(routes.map(({ name }) => name)).size < routes.length) throw wrong('routes', 'routes of different names');
  return routes;
}

function readRoute(body: Body, where: string): Route {
  only(
    body,
    ['name', 'to', 'topics', 'filters', 'urgent', 'quiet', 'codes', 'grade', 'unknown', 'purpose'],
    `${where}.`,
  );
  const { name } = body;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    throw wrong(`${where}.name`, 'lower-case letters, digits and dashes, at most 40');
  }
  const to = readEndpoint(object(body.to, `${where}.to`), `${where}.to`);
  return {
    name,
    to,
    ...(body.topics === undefined ? {} : { topics: topicsOf(body.topics, to, where) }),
    ...(body.urgent === undefined ? {} : { urgent: listOf(body.urgent, allTopics, `${where}.urgent`) }),
    ...(body.filters === undefined ? {} : { filters: filtersOf(body.filters, where) }),
    ...(body.quiet === undefined ? {} : { quiet: quietOf(object(body.quiet, `${where}.quiet`), where) }),
    ...(body.codes === undefined ? {} : { codes: codesOf(body.codes, where) }),
    ...gradeOf(body, where),
    ...unknownOf(body, where),
    ...purposeOf(body, where),
  };
}

const allTopics: readonly (Topic | FineTopic)[] = [...topics, ...(Object.keys(fineTopics) as FineTopic[])];

function topicsOf(value: unknown, { dialect }: Endpoint, where: string): (Topic | FineTopic)[] {
  const named = listOf(value, allTopics, `${where}.topics`);
  const untold = named.find((one) =>
    untoldBy[dialect].includes(one in fineTopics ? fineTopics[one as FineTopic] : (one as Topic)),
  );
  if (untold === undefined) return named;
  throw wrong(`${where}.topics`, `what ${dialect} has a message for, which it has not for ${untold}`);
}

const filtersAtMost = 20;
const codesAtMost = 5_000;

function filtersOf(value: unknown, where: string): string[] {
  const isText = (one: unknown) => typeof one === 'string' && one.length <= 1_000;
  if (!Array.isArray(value) || value.length > filtersAtMost || !value.every(isText)) {
    throw wrong(`${where}.filters`, `a list of at most ${filtersAtMost} searches`);
  }
  for (const one of value) readFilter(one);
  return value;
}

function quietOf(body: Body, where: string): QuietHours {
  only(body, ['zone', 'from', 'to'], `${where}.quiet.`);
  const { zone, from, to } = body;
  for (const [name, time] of [
    ['from', from],
    ['to', to],
  ]) {
    if (typeof time !== 'string' || !/^([01]\d|2[0-3]):[0-5]\d$/.test(time)) {
      throw wrong(`${where}.quiet.${name}`, 'a time, as 22:00');
    }
  }
  if (typeof zone !== 'string' || !isZone(zone)) throw wrong(`${where}.quiet.zone`, 'a time zone, as America/New_York');
  return { zone, from: from as string, to: to as string };
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function codesOf(value: unknown, where: string): CodeMap[] {
  if (!Array.isArray(value) || value.length > codesAtMost) {
    throw wrong(`${where}.codes`, `a list of at most ${codesAtMost}`);
  }
  return value.map((one, i) => {
    const at = `${where}.codes[${i}]`;
    const body = object(one, at);
    only(body, ['from', 'to'], `${at}.`);
    const [from, to] = [object(body.from, `${at}.from`), object(body.to, `${at}.to`)];
    only(from, ['system', 'code'], `${at}.from.`);
    only(to, ['system', 'code', 'display'], `${at}.to.`);
    const coded = (body: Body) => ({ system: text(body, 'system', 500), code: text(body, 'code', 200) });
    const display = to.display === undefined ? {} : { display: text(to, 'display', 500) };
    return { from: coded(from), to: { ...coded(to), ...display } };
  });
}

function gradeOf({ grade }: Body, where: string): { grade?: 'confirmed' } {
  if (grade === undefined) return {};
  if (grade === 'confirmed') return { grade };
  throw wrong(`${where}.grade`, 'confirmed, or left out');
}

function unknownOf({ unknown }: Body, where: string): { unknown?: 'introduce' } {
  if (unknown === undefined) return {};
  if (unknown === 'introduce') return { unknown };
  throw wrong(`${where}.unknown`, 'introduce, or left out');
}

function purposeOf({ purpose }: Body, where: string): { purpose?: AgreedPurpose } {
  if (purpose === undefined) return {};
  const known = agreedPurposes.find((one) => one === purpose);
  if (known) return { purpose: known };
  throw wrong(`${where}.purpose`, `one of ${agreedPurposes.join(', ')}, or left out`);
}

/** @param where how the body is named @throws RecordError 400 */
export function readEndpoint(body: Body, where: string): Endpoint {
  switch (body.dialect) {
    case 'fhir': {
      only(body, ['dialect', 'form', ...httpMembers], `${where}.`);
      const { form } = body;
      if (form !== undefined && !fhirForms.includes(form as FhirForm)) {
        throw wrong(`${where}.form`, `one of ${fhirForms.join(', ')}`);
      }
      return { dialect: 'fhir', ...(form === undefined ? {} : { form: form as FhirForm }), ...httpPlace(body, where) };
    }
    case 'ccda':
      if (body.pickup !== undefined) {
        only(body, ['dialect', 'pickup'], `${where}.`);
        return { dialect: 'ccda', pickup: pickupOf(object(body.pickup, `${where}.pickup`), `${where}.pickup`) };
      }
      if (body.direct !== undefined) {
        only(body, ['dialect', 'direct'], `${where}.`);
        return { dialect: 'ccda', direct: directOf(object(body.direct, `${where}.direct`), `${where}.direct`) };
      }
      only(body, ['dialect', ...(body.url === undefined ? fileMembers : httpMembers)], `${where}.`);
      return { dialect: 'ccda', ...(body.url === undefined ? filePlace(body, where) : httpPlace(body, where)) };
    case 'hl7v2':
      return v2Endpoint(body, where);
    default:
      throw wrong(`${where}.dialect`, 'hl7v2, fhir or ccda');
  }
}

function v2Endpoint(body: Body, where: string): V2Endpoint {
  const wishes = ['dialect', 'acknowledgement', 'messages', 'version', 'application', 'facility'];
  if (body.url !== undefined) {
    only(body, [...wishes, ...httpMembers], `${where}.`);
    return { ...httpPlace(body, where), ...wishesOf(body, where) };
  }
  if (body.folder !== undefined || body.sftp !== undefined) {
    only(body, [...wishes, ...fileMembers], `${where}.`);
    return { ...filePlace(body, where), ...wishesOf(body, where) };
  }
  only(body, [...wishes, 'host', 'port', 'tls'], `${where}.`);
  return { host: text(body, 'host', 253), port: portOf(body, where), ...wishesOf(body, where), ...tlsOf(body, where) };
}

const httpMembers = ['url', 'authorization', 'services', 'tls'];
const fileMembers = ['folder', 'sftp'];

function httpPlace(body: Body, where: string): HttpPlace {
  if (body.authorization !== undefined && body.services !== undefined) {
    throw wrong(where, 'with authorization or services, not both');
  }
  return {
    url: httpAddress(body, 'url', where),
    ...(body.authorization === undefined ? {} : { authorization: pathOf(body, 'authorization', where) }),
    ...(body.services === undefined ? {} : { services: servicesOf(object(body.services, `${where}.services`), where) }),
    ...tlsOf(body, where),
  };
}

function servicesOf(body: Body, where: string): ServicesClient {
  only(body, ['clientId', 'scope', 'tokenUrl'], `${where}.services.`);
  return {
    clientId: text(body, 'clientId', 500),
    ...(body.scope === undefined ? {} : { scope: text(body, 'scope', 1_000) }),
    ...(body.tokenUrl === undefined ? {} : { tokenUrl: httpAddress(body, 'tokenUrl', `${where}.services`) }),
  };
}

function filePlace(body: Body, where: string): FilePlace {
  if (body.sftp === undefined) return { folder: pathOf(body, 'folder', where, 'folder') };
  return { sftp: sftpOf(object(body.sftp, `${where}.sftp`), `${where}.sftp`) };
}

function sftpOf(body: Body, where: string): SftpPlace {
  only(body, ['host', 'port', 'username', 'fingerprint', 'passwordFile', 'keyFile', 'path'], `${where}.`);
  const fingerprint = text(body, 'fingerprint', 60);
  if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint)) {
    throw wrong(`${where}.fingerprint`, 'the SHA-256 of the host key as ssh-keygen -lf shows it (SHA256:…)');
  }
  if ((body.passwordFile === undefined) === (body.keyFile === undefined)) {
    throw wrong(where, 'with a passwordFile or a keyFile');
  }
  return {
    host: text(body, 'host', 253),
    ...(body.port === undefined ? {} : { port: portOf(body, where) }),
    username: text(body, 'username', 100),
    fingerprint,
    ...(body.passwordFile === undefined ? {} : { passwordFile: pathOf(body, 'passwordFile', where) }),
    ...(body.keyFile === undefined ? {} : { keyFile: pathOf(body, 'keyFile', where) }),
    path: text(body, 'path', 1_000),
  };
}

function directOf(body: Body, where: string): DirectPlace {
  only(body, ['address', 'certificate'], `${where}.`);
  return { address: mailAddress(body, where), certificate: pathOf(body, 'certificate', where) };
}

function pickupOf(body: Body, where: string): PickupPlace {
  only(body, ['address', 'pinFile'], `${where}.`);
  return { address: mailAddress(body, where), pinFile: pathOf(body, 'pinFile', where) };
}

function mailAddress(body: Body, where: string): string {
  const address = text(body, 'address', 254);
  if (!isMailAddress(address)) throw wrong(`${where}.address`, 'the address of one mailbox');
  return address;
}

function portOf({ port }: Body, where: string): number {
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65535) throw wrong(`${where}.port`, '1 to 65535');
  return Number(port);
}

function httpAddress(body: Body, name: string, where: string): string {
  const url = text(body, name, 500);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw wrong(`${where}.${name}`, 'an http address');
  if (parsed.username !== '' || parsed.password !== '') {
    throw wrong(`${where}.${name}`, 'an address without credentials');
  }
  return url;
}

function pathOf(body: Body, name: string, where: string, what = 'file'): string {
  const path = text(body, name, 1_000);
  if (!isAbsolute(path)) throw wrong(`${where}.${name}`, `the absolute path of a ${what}`);
  return path;
}

/** What a receiver of HL7 v2 wants, and under which names. */
function wishesOf(
  body: Body,
  where: string,
): Pick<V2Endpoint, 'dialect' | 'acknowledgement' | 'messages' | 'version' | 'application' | 'facility'> {
  const { acknowledgement = 'original', messages, version } = body;
  if (acknowledgement !== 'original' && acknowledgement !== 'enhanced') {
    throw wrong(`${where}.acknowledgement`, 'original or enhanced');
  }
  if (version !== undefined && !v2Versions.includes(version as V2Version)) {
    throw wrong(`${where}.version`, `one of ${v2Versions.join(', ')}`);
  }
  return {
    dialect: 'hl7v2',
    acknowledgement,
    ...(messages === undefined ? {} : { messages: messagesOf(messages, (version ?? '2.5.1') as V2Version, where) }),
    ...(version === undefined ? {} : { version: version as V2Version }),
    ...(body.application === undefined ? {} : { application: text(body, 'application', 180) }),
    ...(body.facility === undefined ? {} : { facility: text(body, 'facility', 180) }),
  };
}

const orders: readonly V2MessageCode[] = ['ORM', 'OMG', 'OML'];

function messagesOf(value: unknown, version: V2Version, where: string): V2MessageCode[] {
  const codes = listOf<V2MessageCode>(value, v2MessageCodes, `${where}.messages`);
  if (codes.filter((code) => orders.includes(code)).length > 1) {
    throw wrong(`${where}.messages`, 'with one of ORM, OMG and OML at most, since each tells of an order');
  }
  for (const code of codes) {
    const refused = refusedVersion(code, version);
    if (refused !== undefined) throw new RecordError(400, 'value', refused, `${where}.messages`);
  }
  return codes;
}

function tlsOf({ tls }: Body, where: string): { tls?: EndpointTls } {
  if (tls === undefined) return {};
  const body = object(tls, `${where}.tls`);
  only(body, ['ca', 'certificate', 'key', 'serverName'], `${where}.tls.`);
  for (const name of ['ca', 'certificate', 'key']) {
    if (body[name] !== undefined && !isAbsolute(text(body, name, 1_000))) {
      throw wrong(`${where}.tls.${name}`, 'the absolute path of a PEM file');
    }
  }
  if (body.serverName !== undefined) text(body, 'serverName', 253);
  if ((body.certificate === undefined) !== (body.key === undefined)) {
    throw wrong(`${where}.tls`, 'certificate and key together, or neither');
  }
  return { tls: body as EndpointTls };
}

/** A list of some of what there is, each once. */
function listOf<T extends string>(value: unknown, known: readonly T[], where: string): T[] {
  const list = Array.isArray(value) ? (value as T[]) : [undefined];
  if (!list.every((one) => one !== undefined && known.includes(one)) || new Set(list).size < list.length) {
    throw wrong(where, `a list of ${known.join(', ')}, each once`);
  }
  return list as T[];
}
