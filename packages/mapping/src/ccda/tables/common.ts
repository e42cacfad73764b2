/**
 * Rows that most tables share.
 */
import type { Row } from '../table.ts';

export const IDENTITY: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['text', 'text', 'narrative'],
];

/** Comment Activity, as an annotation of what it stands under. */
export const COMMENT: readonly Row[] = [
  [
    'entryRelationship/act[template=2.16.840.1.113883.10.20.22.4.64,2.16.840.1.113883.10.20.1.40]',
    'note[]',
    'annotation',
  ],
  ['entryRelationship/act[code=48767-8]', 'note[]', 'annotation'],
];

export const INDICATION = '2.16.840.1.113883.10.20.22.4.19';
/** Reason: why something is so, or was not done. */
export const REASON = '2.16.840.1.113883.10.20.24.3.88';

/** Practitioner, from an assigned person of any participation. */
export const PRACTITIONER: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  [
    'assignedPerson|assignedAuthor|informationRecipient|associatedPerson|playingEntity|relatedPerson/name',
    'name[]',
    'name',
  ],
  ['telecom', 'telecom[]', 'telecom'],
  ['addr', 'address[]', 'address'],
  ['code', 'qualification[].code', 'concept'],
];

export const RELATED_PERSON: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['code', 'relationship[]', 'concept'],
  ['associatedPerson|relatedPerson|assignedPerson|playingEntity/name', 'name[]', 'name'],
  ['telecom', 'telecom[]', 'telecom'],
  ['addr', 'address[]', 'address'],
  ['relatedPerson|associatedPerson/birthTime', 'birthDate', 'date'],
  ['relatedPerson|associatedPerson/administrativeGenderCode', 'gender', 'code', 'gender'],
];

export const ORGANIZATION: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['name', 'name', 'organizationName'],
  ['telecom', 'telecom[]', 'telecom'],
  ['addr', 'address[]', 'address'],
  ['standardIndustryClassCode', 'type[]', 'concept'],
  ['desc', 'name', 'organizationName'],
  ['code', 'type[]', 'concept'],
  ['representedOrganization/name', 'name', 'organizationName'],
  ['representedOrganization/id', 'identifier[]', 'identifier'],
  ['representedOrganization/telecom', 'telecom[]', 'telecom'],
  ['representedOrganization/addr', 'address[]', 'address'],
  ['asOrganizationPartOf/wholeOrganization', 'partOf', 'organization'],
];

/** A document elsewhere. */
export const EXTERNAL_DOCUMENT: readonly Row[] = [
  ['id', 'masterIdentifier', 'identifier'],
  ['setId', 'identifier[]', 'identifier'],
  ['code', 'type', 'concept'],
  ['text', 'content[0].attachment.url', 'url'],
  ['text', 'content[0].attachment.contentType', 'mediaType'],
  ['text', 'description', 'text'],
];

export const LOCATION: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['code', 'type[]', 'concept'],
  ['playingEntity/name', 'name', 'organizationName'],
  ['location/name', 'name', 'organizationName'],
  ['telecom', 'telecom[]', 'telecom'],
  ['addr', 'address', 'address'],
  ['location/addr', 'address', 'address'],
  ['serviceProviderOrganization', 'managingOrganization', 'organization'],
  ['scopingEntity', 'managingOrganization', 'organization'],
];

export const DEVICE: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['code', 'type', 'concept'],
  ['playingDevice/code', 'type', 'concept'],
  ['assignedAuthoringDevice/code', 'type', 'concept'],
  ['assignedAuthoringDevice|playingDevice/manufacturerModelName', 'modelNumber', 'text'],
  ['assignedAuthoringDevice|playingDevice/softwareName', 'version[].value', 'text'],
  ['id[@root=2.16.840.1.113883.3.3719]', 'udiCarrier[0].carrierHRF', 'extension'],
  ['representedOrganization', 'owner', 'organization'],
  ['scopingEntity/id', 'owner.identifier', 'identifier'],
  ['scopingEntity/desc', 'manufacturer', 'text'],
  ['telecom', 'contact[]', 'telecom'],
];

/** Where a device is that writes documents. */
export const DEVICE_PLACE: readonly Row[] = [['addr', 'address', 'address']];

export const SPECIMEN: readonly Row[] = [
  ['specimenRole/id', 'identifier[]', 'identifier'],
  ['specimenRole/specimenPlayingEntity/code', 'type', 'concept'],
  ['specimenRole/specimenPlayingEntity/name', 'type.text', 'organizationName'],
  ['specimenRole/specimenPlayingEntity/quantity', 'collection.quantity', 'quantity'],
  ['specimenRole/specimenPlayingEntity/desc', 'note[].text', 'text'],
];

/** Specimen Collection Procedure: how and when a specimen was taken, and how it arrived. */
export const SPECIMEN_COLLECTION: readonly Row[] = [
  ['participant/participantRole/id', 'identifier[]', 'identifier'],
  ['participant/participantRole/playingEntity/code', 'type', 'concept'],
  ['effectiveTime', 'collection.collected[x]', 'timeOrPeriod'],
  ['targetSiteCode', 'collection.bodySite', 'concept'],
  ['methodCode', 'collection.method', 'concept'],
  ['performer', 'collection.collector', 'practitioner'],
  ['entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.421]/value', 'condition[]', 'concept'],
];
