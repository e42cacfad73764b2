/** Who took part: authors, performers, places, devices and organizations as CDA's roles. */
import type {
  CodeableConcept,
  Device,
  Location,
  Organization,
  Patient,
  Practitioner,
  PractitionerRole,
  Reference,
  RelatedPerson,
  Resource,
} from '@medplum/fhirtypes';
import { CDA_ELEMENT } from '../../ccda/leftovers.ts';
import type { Authorship } from './chart.ts';
import { type CdaElement, el } from './element.ts';
import { address, addresses, personName, telecoms } from './people.ts';
import { template } from './templates.ts';
import { absentFlavor, code, ids, nameOf, time } from './values.ts';
import type { Writer } from './writer.ts';

/** Someone as a role shows them, whichever resource tells of them. */
interface Party {
  ids: CdaElement[];
  code?: CodeableConcept;
  person?: Practitioner | RelatedPerson | Patient;
  device?: Device;
  /** A name where nothing but a display is known. */
  display?: string;
  organization?: Organization;
  contact: { address?: Practitioner['address']; telecom?: Practitioner['telecom'] };
}

/** AuthorParticipation. */
export function author(writer: Writer, { who, onBehalfOf, time: when }: Authorship, holder?: Resource): CdaElement {
  const party = partyOf(writer, who, holder, onBehalfOf);
  return el('author', {}, template('author'), time('time', when), assignedAuthor(party));
}

export function assignedAuthor(party: Party): CdaElement {
  return el(
    'assignedAuthor',
    {},
    party.ids,
    roleCode(party),
    addresses(party.contact.address),
    telecoms(party.contact.telecom),
    party.device === undefined
      ? el('assignedPerson', {}, personNameOf(party))
      : el(
          'assignedAuthoringDevice',
          {},
          el('manufacturerModelName', {}, party.device.modelNumber ?? party.device.deviceName?.[0]?.name ?? 'unknown'),
          el('softwareName', {}, party.device.version?.[0]?.value ?? party.device.deviceName?.[0]?.name ?? 'unknown'),
        ),
    organizationRole('representedOrganization', party.organization),
  );
}

/**
 * Who took part in a statement, by its Provenance: authors, informants, performers. Without one, whom the resource
 * itself names as its author.
 */
export function authors(writer: Writer, resource: Resource, named?: { who?: Reference; time?: string }): CdaElement[] {
  const { chart } = writer;
  const told = chart.participationsOf(resource, 'author');
  const own = told.length === 0 && named?.who !== undefined ? [{ who: named.who, time: named.time }] : told;
  return [
    ...own.map((one) => author(writer, one, resource)),
    ...chart.participationsOf(resource, 'informant').map((one) => informant(writer, one, resource)),
    ...chart
      .participationsOf(resource, 'performer')
      .map(({ who, onBehalfOf }) => el('performer', {}, assignedEntity(partyOf(writer, who, resource, onBehalfOf)))),
  ];
}

/** The same where C-CDA has room for one author: of several the last. */
export function withOneAuthor(
  writer: Writer,
  resource: Resource,
  named?: { who?: Reference; time?: string },
): CdaElement[] {
  const told = writer.chart.participationsOf(resource, 'author');
  const last = [...told].sort((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1);
  const dropped = new Set(told.map((one, at) => (one === last ? -1 : at)));
  return authors(writer, resource, named).filter((_element, at) => !dropped.has(at));
}

/** A relative gives information as such, anyone else as an assigned entity. */
export function informant(writer: Writer, { who, onBehalfOf }: Authorship, holder?: Resource): CdaElement {
  const found = writer.chart.find<Resource>(who, holder);
  const party = partyOf(writer, who, holder, onBehalfOf);
  if (found?.resourceType !== 'RelatedPerson') return el('informant', {}, assignedEntity(party));
  return el(
    'informant',
    {},
    el(
      'relatedEntity',
      { classCode: 'PRS' },
      roleCode(party),
      addresses(party.contact.address),
      telecoms(party.contact.telecom),
      el('relatedPerson', {}, personNameOf(party)),
    ),
  );
}

/** A performer, or any participation with an assigned entity. */
export function performer(
  writer: Writer,
  who: Reference | undefined,
  holder?: Resource,
  attributes: Record<string, string> = {},
  before: CdaElement[] = [],
): CdaElement | undefined {
  if (who === undefined || absentFlavor(who) !== undefined) return undefined;
  return el('performer', attributes, before, assignedEntity(partyOf(writer, who, holder)));
}

export function assignedEntity(party: Party): CdaElement {
  const onlyOrganization = party.person === undefined && party.display === undefined && party.device === undefined;
  return el(
    'assignedEntity',
    {},
    party.ids,
    roleCode(party),
    addresses(party.contact.address),
    telecoms(party.contact.telecom),
    !onlyOrganization && el('assignedPerson', {}, personNameOf(party)),
    organizationRole('representedOrganization', party.organization),
  );
}

function roleCode({ code: concept }: Party): CdaElement | undefined {
  return concept?.coding === undefined ? undefined : code('code', concept);
}

function personNameOf({ person, display, device }: Party): CdaElement {
  if (person !== undefined) return personName(person.name?.[0]);
  const words = device === undefined ? display : (nameOf(device.type) ?? device.modelNumber);
  return words === undefined ? el('name', { nullFlavor: 'UNK' }) : el('name', {}, words);
}

/** Whom a reference means, also a PractitionerRole's practitioner, and a mere display. */
export function partyOf(writer: Writer, who: Reference, holder?: Resource, behalf?: Reference): Party {
  const { chart } = writer;
  const found = chart.find<Resource>(who, holder);
  const organization = chart.find<Organization>(behalf, holder);
  switch (found?.resourceType) {
    case 'PractitionerRole':
      return roleParty(writer, found, organization);
    case 'Practitioner':
      return { ids: ids(found), code: qualificationOf(found), person: found, organization, contact: found };
    case 'Patient':
    case 'RelatedPerson':
      return {
        ids: ids(found),
        code: found.resourceType === 'RelatedPerson' ? found.relationship?.[0] : undefined,
        person: found,
        organization,
        contact: found,
      };
    case 'Organization':
      return { ids: ids(found), code: keptRole(found), organization: found, contact: found };
    case 'Device':
      return { ids: ids(found), code: found.type, device: found, organization, contact: {} };
    default: {
      const identifier = who.identifier;
      return {
        ids:
          identifier === undefined
            ? [el('id', { nullFlavor: 'UNK' })]
            : ids({ resourceType: 'Practitioner', identifier }),
        display: who.display ?? 'unknown',
        organization,
        contact: {},
      };
    }
  }
}

function roleParty(writer: Writer, role: PractitionerRole, behalf: Organization | undefined): Party {
  const person = writer.chart.find<Practitioner>(role.practitioner, role);
  const organization = behalf ?? writer.chart.find<Organization>(role.organization, role);
  const contact = {
    address: person?.address ?? organization?.address,
    telecom: role.telecom ?? person?.telecom ?? organization?.telecom,
  };
  return {
    ids: ids(person ?? role),
    code: role.specialty?.[0] ?? role.code?.[0] ?? (person && qualificationOf(person)),
    person,
    display: person === undefined ? (role.practitioner?.display ?? 'unknown') : undefined,
    organization,
    contact,
  };
}

/** All codes of a practitioner's qualifications as one concept. */
function qualificationOf({ qualification = [] }: Practitioner): CodeableConcept | undefined {
  const coding = qualification.flatMap((one) => one.code.coding ?? []);
  return coding.length === 0 ? undefined : { coding, text: qualification[0]!.code.text };
}

/** The code of the role in which a converted document had an organization. */
function keptRole({ extension }: Organization): CodeableConcept | undefined {
  const kept = extension?.filter(({ url }) => url === CDA_ELEMENT).map((one) => one.extension ?? []);
  const role = kept?.find((parts) => parts.some(({ valueString }) => valueString?.endsWith('assignedEntity/code')));
  return role?.find(({ valueCodeableConcept }) => valueCodeableConcept !== undefined)?.valueCodeableConcept;
}

/** An organization as the role `name`. */
export function organizationRole(name: string, organization: Organization | undefined): CdaElement | undefined {
  if (organization === undefined) return undefined;
  return el(
    name,
    {},
    ids(organization),
    organization.name === undefined ? el('name', { nullFlavor: 'UNK' }) : el('name', {}, organization.name),
    telecoms(organization.telecom),
    addresses(organization.address),
  );
}

/** Someone for whom the template has no performer of its own, as a participant. */
export function participant(writer: Writer, typeCode: string, who: Reference, holder?: Resource): CdaElement {
  const party = partyOf(writer, who, holder);
  const { person, organization, display } = party;
  return el(
    'participant',
    { typeCode },
    el(
      'participantRole',
      {},
      party.ids,
      roleCode(party),
      addresses(party.contact.address),
      telecoms(party.contact.telecom),
      el(
        'playingEntity',
        {},
        person === undefined
          ? el('name', {}, organization?.name ?? display ?? 'unknown')
          : personName(person.name?.[0]),
      ),
    ),
  );
}

const SERVICE_LOCATIONS = 'https://www.cdc.gov/nhsn/cdaportal/terminology/codesystem/hsloc.html';

/** ServiceDeliveryLocation. */
export function place(location: Location | undefined, display?: string): CdaElement | undefined {
  const name = location?.name ?? display;
  if (location === undefined && name === undefined) return undefined;
  return el(
    'participant',
    { typeCode: 'LOC' },
    el(
      'participantRole',
      { classCode: 'SDLOC' },
      template('serviceDeliveryLocation'),
      location === undefined ? [] : ids(location),
      code('code', location?.type?.[0], { allowed: ({ system }) => system === SERVICE_LOCATIONS }),
      address(location?.address),
      location?.telecom === undefined ? undefined : telecoms(location.telecom),
      el(
        'playingEntity',
        { classCode: 'PLC' },
        name === undefined ? el('name', { nullFlavor: 'UNK' }) : el('name', {}, name),
      ),
    ),
  );
}

/** ProductInstance: a device with its identifiers and its maker. */
export function product(writer: Writer, device: Device | undefined, display?: string): CdaElement {
  const carrier = device?.udiCarrier?.[0];
  const maker = writer.chart.find<Organization>(device?.owner, device);
  const words = device === undefined ? display : (device.deviceName?.[0]?.name ?? undefined);
  const identified = carrier?.deviceIdentifier;
  return el(
    'participantRole',
    { classCode: 'MANU' },
    template('productInstance'),
    carrier?.carrierHRF !== undefined &&
      el('id', { root: '2.16.840.1.113883.3.3719', extension: carrier.carrierHRF, assigningAuthorityName: 'FDA' }),
    carrier?.carrierHRF === undefined && identified !== undefined
      ? el('id', { root: '2.16.840.1.113883.3.3719', extension: identified, assigningAuthorityName: 'FDA' })
      : undefined,
    device === undefined ? el('id', { nullFlavor: 'UNK' }) : ids(device),
    el(
      'playingDevice',
      {},
      code('code', device?.type ?? (words === undefined ? undefined : { text: words })),
      device?.modelNumber !== undefined && el('manufacturerModelName', {}, device.modelNumber),
    ),
    el(
      'scopingEntity',
      {},
      maker === undefined ? el('id', { nullFlavor: 'UNK' }) : ids(maker),
      device?.manufacturer !== undefined && el('desc', {}, device.manufacturer),
    ),
  );
}
