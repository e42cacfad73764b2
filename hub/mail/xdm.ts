/**
 * A document as a zip for mail: IHE XDM (ITI TF-1 16, TF-2 3.32, "ZIP over Email"), one submission set with one document and
 * limited metadata (TF-3 4.2.1.4): what the document says of the patient stands in the document alone.
 */
import { createHash } from 'node:crypto';

/** What is packed. Ids are UUIDs. */
export interface XdmDocument {
  id: string;
  title: string;
  bytes: Uint8Array;
  mediaType: string;
  created: Date;
}

export interface XdmPackage {
  /** Of the submission set: the same for the same delivery. */
  id: string;
  submitted: Date;
  /** The Direct address of the hub, and of whom it is meant for. */
  from: string;
  to: string;
  document: XdmDocument;
}

const folder = 'IHE_XDM/SUBSET01';
const endings: { [mediaType: string]: string } = {
  'text/xml': 'XML',
  'application/xml': 'XML',
  'application/pdf': 'PDF',
};

/** The zip, made anew with the same bytes. */
export async function xdmZip(xdm: XdmPackage): Promise<Uint8Array> {
  const { zipSync, strToU8 } = await import('fflate');
  const name = `DOC0001.${endings[xdm.document.mediaType] ?? 'BIN'}`;
  const files = {
    'INDEX.HTM': strToU8(indexOf(xdm, name)),
    'README.TXT': strToU8(readme),
    [`${folder}/METADATA.XML`]: strToU8(metadataOf(xdm, name)),
    [`${folder}/${name}`]: xdm.document.bytes,
  };
  return zipSync(files, { mtime: xdm.submitted });
}

const readme = [
  'This archive has a clinical document, in the form of IHE XDM.',
  'It was sent by a Causeway health information hub.',
  'Open INDEX.HTM with a browser to see what is in it.',
  '',
].join('\r\n');

function indexOf({ document, from, submitted }: XdmPackage, name: string): string {
  const title = xml(document.title);
  return `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>${title}</title></head><body>
<h1>${title}</h1><p>Sent by ${xml(from)} at ${submitted.toISOString()}.</p>
<p><a href="${folder}/${name}">${name}</a></p><p><a href="README.TXT">README.TXT</a></p>
</body></html>
`;
}

/** Identifiers of ebRIM objects and of their attributes (TF-3 4.2.5). */
const uuid = {
  document: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  documentUniqueId: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
  documentLimited: 'urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  set: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
  setAuthor: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  setUniqueId: 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8',
  setSourceId: 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832',
  setLimited: 'urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707',
};
const object = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject';

function metadataOf({ id, submitted, from, to, document }: XdmPackage, name: string): string {
  const size = String(document.bytes.length);
  const hash = createHash('sha1').update(document.bytes).digest('hex');
  return `<?xml version="1.0" encoding="UTF-8"?>
<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
<rim:RegistryObjectList>
<rim:ExtrinsicObject id="Document01" mimeType="${xml(document.mediaType)}" objectType="${uuid.document}">
${slot('creationTime', timeOf(document.created))}
${slot('hash', hash)}
${slot('languageCode', 'en-US')}
${slot('size', size)}
${slot('URI', name)}
<rim:Name><rim:LocalizedString value="${xml(document.title)}"/></rim:Name>
${classification('Document01', 'formatCode', uuid.formatCode, 'urn:ihe:iti:xds:2017:mimeTypeSufficient', slot('codingScheme', '1.3.6.1.4.1.19376.1.2.3'), 'mimeType Sufficient')}
${node('Document01', 'documentLimited', uuid.documentLimited)}
${identifier('Document01', 'XDSDocumentEntry.uniqueId', uuid.documentUniqueId, oidOf(document.id))}
</rim:ExtrinsicObject>
<rim:RegistryPackage id="SubmissionSet01" objectType="${object}:RegistryPackage">
${slot('submissionTime', timeOf(submitted))}
${slot('intendedRecipient', `||^^Internet^${to}`)}
${classification('SubmissionSet01', 'author', uuid.setAuthor, '', slot('authorTelecommunication', `^^Internet^${from}`), '')}
${node('SubmissionSet01', 'setLimited', uuid.setLimited)}
${identifier('SubmissionSet01', 'XDSSubmissionSet.uniqueId', uuid.setUniqueId, oidOf(id))}
${identifier('SubmissionSet01', 'XDSSubmissionSet.sourceId', uuid.setSourceId, oidOf(hashedId(from)))}
</rim:RegistryPackage>
${node('SubmissionSet01', 'set', uuid.set)}
<rim:Association id="Association01" objectType="${object}:Association" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" sourceObject="SubmissionSet01" targetObject="Document01">
${slot('SubmissionSetStatus', 'Original')}
</rim:Association>
</rim:RegistryObjectList>
</lcm:SubmitObjectsRequest>
`;
}

function slot(name: string, value: string): string {
  return `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${xml(value)}</rim:Value></rim:ValueList></rim:Slot>`;
}

function classification(of: string, id: string, scheme: string, code: string, slots: string, name: string): string {
  const shown = name === '' ? '' : `<rim:Name><rim:LocalizedString value="${xml(name)}"/></rim:Name>`;
  return `<rim:Classification id="${of}.${id}" objectType="${object}:Classification" classificationScheme="${scheme}" classifiedObject="${of}" nodeRepresentation="${xml(code)}">${slots}${shown}</rim:Classification>`;
}

function node(of: string, id: string, of_: string): string {
  return `<rim:Classification id="${of}.${id}" objectType="${object}:Classification" classifiedObject="${of}" classificationNode="${of_}"/>`;
}

function identifier(of: string, name: string, scheme: string, value: string): string {
  return `<rim:ExternalIdentifier id="${of}.${name}" objectType="${object}:ExternalIdentifier" registryObject="${of}" identificationScheme="${scheme}" value="${xml(value)}"><rim:Name><rim:LocalizedString value="${name}"/></rim:Name></rim:ExternalIdentifier>`;
}

/** DTM of HL7 v2, in UTC. */
function timeOf(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-T:]/g, '');
}

/** A UUID as an OID (ITU-T X.667 §7). */
function oidOf(id: string): string {
  return `2.25.${BigInt(`0x${id.replaceAll('-', '')}`)}`;
}

function hashedId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function xml(text: string): string {
  // XML 1.0 has no place for other control characters.
  const clean = text.replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '');
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
