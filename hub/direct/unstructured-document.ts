/**
 * A PDF in a zip of IHE XDM as a document that the inbox reads: the PDF stands as it is in the body of a C-CDA Unstructured
 * Document (C-CDA R2.1, 1.1.24; CDA R2 `nonXMLBody`), and what the metadata says of it and its patient (ITI TF-3 4.2.3.2) in
 * the header. The same zip gives the same bytes.
 */
import { createHash } from 'node:crypto';
import { standardDelimiters, unescapeText } from '@causeway/hl7v2';
import type { PackedCode, PackedDocument } from '../mail/index.ts';

/** Undefined where it is no PDF, or the metadata does not say by a number of which authority (an OID) whose it is. */
export function unstructuredDocument(packed: PackedDocument, custodian: string): Buffer | undefined {
  const { bytes, mediaType, patient, created, title, type, confidentiality } = packed;
  const isPdf = mediaType.toLowerCase() === 'application/pdf' && bytes.subarray(0, 5).toString('latin1') === '%PDF-';
  const numbers = repetitions(patient.get('3')).flatMap(numberOf);
  if (!isPdf || numbers.length === 0) return undefined;
  const restricted = ['V', 'R'].find((code) => confidentiality.includes(code)) ?? confidentiality[0];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="US"/>',
    '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>',
    '<templateId root="2.16.840.1.113883.10.20.22.1.10" extension="2015-08-01"/>',
    element('id', idOf(packed)),
    type === undefined ? '<code nullFlavor="UNK"/>' : element('code', codedBy(type)),
    `<title>${xml(title ?? 'Document')}</title>`,
    created === undefined ? '<effectiveTime nullFlavor="UNK"/>' : element('effectiveTime', { value: inUtc(created) }),
    restricted === undefined
      ? '<confidentialityCode nullFlavor="NI"/>'
      : element('confidentialityCode', { code: restricted, codeSystem: '2.16.840.1.113883.5.25' }),
    `<recordTarget><patientRole>${numbers.join('')}${addresses(patient.get('11'))}<patient>`,
    `${names(patient.get('5'))}${sexOf(patient.get('8'))}${birthOf(patient.get('7'))}</patient></patientRole></recordTarget>`,
    '<custodian><assignedCustodian><representedCustodianOrganization><id nullFlavor="UNK"/>',
    `<name>${xml(custodian)}</name></representedCustodianOrganization></assignedCustodian></custodian>`,
    '<component><nonXMLBody><text mediaType="application/pdf" representation="B64">',
    `${bytes.toString('base64')}</text></nonXMLBody></component></ClinicalDocument>`,
  ];
  return Buffer.from(lines.join('\n'));
}

/** XDSDocumentEntry.uniqueId: an OID, or one with an extension behind `^`; else a number that its content gives it. */
function idOf({ uniqueId, bytes }: PackedDocument): Attributes {
  const [root = '', extension] = uniqueId?.split('^') ?? [];
  if (isOid(root)) return { root, extension };
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return { root: `2.25.${BigInt(`0x${digest}`)}` };
}

function codedBy({ code, system, display }: PackedCode): Attributes {
  return { code, codeSystem: isOid(system) ? system : undefined, displayName: display };
}

/** Times of the metadata are in UTC (ITI TF-3 4.2.3.2.8). */
function inUtc(time: string): string {
  return time.length > 8 ? `${time}+0000` : time;
}

/** A number of the patient (CX), where its authority is an OID. */
function numberOf(field: string): string[] {
  const [extension = '', , , authority = ''] = field.split('^');
  const [, root = ''] = authority.split('&');
  return extension !== '' && isOid(root) ? [element('id', { root, extension: plain(extension) })] : [];
}

/** XPN */
function names(field: string | undefined): string {
  return repetitions(field)
    .map((one) => {
      const [family = '', given = '', second = '', suffix = '', prefix = ''] = one.split('^');
      const parts = [
        part('prefix', prefix),
        part('given', given),
        part('given', second),
        part('family', family.split('&')[0]!),
        part('suffix', suffix),
      ];
      return parts.some((text) => text !== '') ? `<name>${parts.join('')}</name>` : '';
    })
    .join('');
}

/** XAD */
function addresses(field: string | undefined): string {
  return repetitions(field)
    .map((one) => {
      const [street = '', other = '', city = '', state = '', zip = '', country = ''] = one.split('^');
      const parts = [
        part('streetAddressLine', street.split('&')[0]!),
        part('streetAddressLine', other),
        part('city', city),
        part('state', state),
        part('postalCode', zip),
        part('country', country),
      ];
      return parts.some((text) => text !== '') ? `<addr>${parts.join('')}</addr>` : '';
    })
    .join('');
}

function sexOf(field: string | undefined): string {
  return field === 'F' || field === 'M'
    ? element('administrativeGenderCode', { code: field, codeSystem: '2.16.840.1.113883.5.1' })
    : '<administrativeGenderCode nullFlavor="UNK"/>';
}

function birthOf(field: string | undefined): string {
  const [day] = /^\d{4}(?:\d\d(?:\d\d)?)?/.exec(field ?? '') ?? [];
  return day === undefined ? '<birthTime nullFlavor="UNK"/>' : element('birthTime', { value: day });
}

function repetitions(field: string | undefined): string[] {
  return field?.split('~').filter((one) => one !== '') ?? [];
}

function isOid(text: string | undefined): text is string {
  return text !== undefined && text.length <= 200 && /^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(text);
}

type Attributes = { [name: string]: string | undefined };

function element(name: string, attributes: Attributes): string {
  const stated = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== '');
  return `<${name}${stated.map(([key, value]) => ` ${key}="${xml(value!)}"`).join('')}/>`;
}

function part(name: string, text: string): string {
  return text === '' ? '' : `<${name}>${xml(plain(text))}</${name}>`;
}

/** What a part of a field means, without the escapes of HL7 v2. */
function plain(text: string): string {
  return unescapeText(text, standardDelimiters);
}

function xml(text: string): string {
  // XML 1.0 has no place for other control characters.
  const clean = text.replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '').toWellFormed();
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
