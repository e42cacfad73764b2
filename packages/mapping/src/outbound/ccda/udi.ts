/** The parts of a device's unique identifier, as the UDI Organizer tells them. */
import type { CodeableConcept, Coding, Device } from '@medplum/fhirtypes';
import { CDA_ELEMENT } from '../../ccda/leftovers.ts';
import { LOINC } from './codes.ts';
import { type CdaElement, type Child, el } from './element.ts';
import { related, statement, statusCode } from './statement.ts';
import { template, templateIds } from './templates.ts';
import { code, fixed, ids, ts } from './values.ts';

const NCI = '2.16.840.1.113883.3.26.1.1';
const THESAURUS = 'http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl';
const VERSION = '2019-06-21';
/** Templates of properties by the code that asks for them. */
const PROPERTIES: Readonly<Record<string, string>> = { C160938: '.4.314', C106044: '.4.318', C160939: '.4.305' };

/** Undefined where no device identifier is known, without which there is no organizer. */
export function udi(device: Device): CdaElement | undefined {
  const [carrier] = device.udiCarrier ?? [];
  const identifier = carrier?.deviceIdentifier;
  if (identifier === undefined) return undefined;
  const root = carrier?.issuer?.replace(/^urn:oid:/, '') ?? '2.16.840.1.113883.3.3719';
  const text = (value: string | undefined): CdaElement | undefined =>
    value === undefined ? undefined : el('value', { 'xsi:type': 'ED' }, value);
  const moment = (value: string | undefined): CdaElement | undefined =>
    value === undefined ? undefined : el('value', { 'xsi:type': 'TS', value: ts(value) });
  return related(
    'COMP',
    statement(
      'organizer',
      { classCode: 'CLUSTER', moodCode: 'EVN' },
      template('udiOrganizer'),
      ids(device).slice(0, 1),
      fixed('code', '74711-3', LOINC, 'Unique device identifier'),
      statusCode('completed'),
      part(
        ['.4.304', '2022-06-01'],
        'C101722',
        'Primary DI Number',
        el('value', { 'xsi:type': 'II', root, extension: identifier, displayable: 'true' }),
      ),
      part(['.4.315', VERSION], 'C101672', 'Lot or Batch Number', text(device.lotNumber)),
      part(['.4.319', VERSION], 'C101671', 'Serial Number', text(device.serialNumber)),
      part(['.4.316', VERSION], 'C101669', 'Manufacturing Date', moment(device.manufactureDate)),
      part(['.4.309', VERSION], 'C101670', 'Expiration Date', moment(device.expirationDate)),
      part(['.4.308', VERSION], 'C113843', 'Distinct Identification Code', text(device.distinctIdentifier)),
      part(['.4.301', VERSION], 'C71898', 'Brand Name', text(device.deviceName?.[0]?.name)),
      part(['.4.317', VERSION], 'C99285', 'Model Number', text(device.modelNumber)),
      part(['.4.303', VERSION], 'C54131', 'Company Name', text(device.manufacturer)),
      part(['.4.302', VERSION], 'C99286', 'Catalog Number', text(device.partNumber)),
      keptParts(device),
      (device.property ?? []).map(({ type, valueCode }) => property(type, valueCode?.[0])),
    ),
  );
}

/** Parts of which a converted document told no value that could be read: asked for, and not known. */
function keptParts(device: Device): CdaElement[] {
  return (device.extension ?? [])
    .filter(({ url }) => url === CDA_ELEMENT)
    .map(({ extension }) => extension?.find(({ url }) => url === 'value')?.valueCodeableConcept)
    .filter((concept) => concept?.coding?.[0]?.system === THESAURUS)
    .map((concept) => component(code('code', concept), el('value', { 'xsi:type': 'ED', nullFlavor: 'NI' })));
}

function part(of: [string, string], kind: string, name: string, value: CdaElement | undefined): CdaElement | undefined {
  if (value === undefined) return undefined;
  return component(templateIds(...of), fixed('code', kind, NCI, name), value);
}

function property(type: CodeableConcept, value: CodeableConcept | undefined): CdaElement | undefined {
  if (value === undefined) return undefined;
  const known = PROPERTIES[type.coding?.[0]?.code ?? ''];
  const fits = known !== undefined && (known !== '.4.305' || isDeviceStatus(value.coding?.[0]));
  return component(fits ? templateIds(known, VERSION) : [], code('code', type), code('value', value, { type: 'CD' }));
}

/** Value set Implantable Device Status. */
function isDeviceStatus(coding: Coding | undefined): boolean {
  return ['C114146', 'C118639', 'C122711', 'C154407', 'C45329'].includes(coding?.code ?? '');
}

function component(...children: Child[]): CdaElement {
  return el(
    'component',
    {},
    statement('observation', { classCode: 'OBS', moodCode: 'EVN' }, ...children, statusCode('completed')),
  );
}
