/**
 * The parts of a device's unique identifier, as the UDI Organizer tells them (U.S. FDA UDI rule; NCI Thesaurus codes).
 */
import type { Row } from '../table.ts';

export const UDI_ORGANIZER = '2.16.840.1.113883.10.20.22.4.311';

const part = (template: string): string => `component/observation[template=2.16.840.1.113883.10.20.22.4.${template}]`;

const PROPERTY: readonly Row[] = [
  ['code', 'type', 'concept'],
  ['value', 'valueCode[]', 'concept'],
];

export const UDI: readonly Row[] = [
  ['id[@root=2.16.840.1.113883.3.3719]', 'udiCarrier[0].carrierHRF', 'extension'],
  [`${part('304')}/value`, 'udiCarrier[0].deviceIdentifier', 'extension'],
  [`${part('304')}/value`, 'udiCarrier[0].issuer', 'root'],
  [`${part('308')}/value`, 'distinctIdentifier', 'text'],
  [`${part('303')}/value`, 'manufacturer', 'text'],
  [`${part('316')}/value`, 'manufactureDate', 'dateTime'],
  [`${part('309')}/value`, 'expirationDate', 'dateTime'],
  [`${part('315')}/value`, 'lotNumber', 'text'],
  [`${part('319')}/value`, 'serialNumber', 'text'],
  [`${part('301')}/value`, 'deviceName[0].name', 'text'],
  [`${part('317')}/value`, 'modelNumber', 'text'],
  [`${part('302')}/value`, 'partNumber', 'text'],
  [part('318'), 'property[]', 'group', PROPERTY],
  [part('314'), 'property[]', 'group', PROPERTY],
  [part('305'), 'property[]', 'group', PROPERTY],
  ['text', 'text', 'narrative'],
];
