/**
 * Reads a zip of IHE XDM (ITI TF-2 3.32): the documents that its metadata names, each as long and with the hash that is told
 * there, and what the metadata says of the patient. A zip that would grow beyond what is allowed is refused before that.
 */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { parseXml, type XmlElement } from '@causeway/ccda';
import type { Entry, ZipFile } from 'yauzl';
import { UnopenedMail } from './smime-open.ts';

/** A code as the metadata has it; `system` is an OID or whatever its writer calls it. */
export interface PackedCode {
  code: string;
  system: string | undefined;
  display: string | undefined;
}

export interface PackedDocument {
  /** In the zip. */
  name: string;
  bytes: Buffer;
  mediaType: string;
  title: string | undefined;
  /** When it was made, as the metadata says it: DTM of HL7 v2. */
  created: string | undefined;
  /** What tells it from all other documents: an OID, or one with an extension behind `^`. */
  uniqueId: string | undefined;
  /** What it is (typeCode). */
  type: PackedCode | undefined;
  /** Codes of confidentiality. */
  confidentiality: readonly string[];
  /** Whose it is by the metadata: fields of PID, each by its number, as `3` → `4711^^^&1.2.3&ISO`. */
  patient: ReadonlyMap<string, string>;
}

/** What a zip may hold, unpacked. */
export interface XdmLimits {
  bytes: number;
}

const mostEntries = 1_000;
const mostMetadataBytes = 4 * 1024 * 1024;
const rim = '{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}';

/** @throws UnopenedMail */
export async function readXdm(zip: Buffer, limits: XdmLimits): Promise<PackedDocument[]> {
  const files = await opened(zip, limits);
  try {
    const metadata = [...files.entries.keys()].filter((name) => /^IHE_XDM\/[^/]+\/METADATA\.XML$/i.test(name));
    if (metadata.length === 0)
      throw new UnopenedMail('The zip is none of IHE XDM: IHE_XDM/…/METADATA.XML is not in it.');
    const found: PackedDocument[] = [];
    for (const name of metadata) {
      const folder = name.slice(0, name.lastIndexOf('/') + 1);
      for (const stated of documentsIn(await files.read(name, mostMetadataBytes))) {
        found.push(await documentOf(files, folder, stated));
      }
    }
    return found;
  } finally {
    files.close();
  }
}

interface Stated extends Omit<PackedDocument, 'name' | 'bytes'> {
  uri: string;
  hash: string | undefined;
  size: string | undefined;
}

async function documentOf(files: ZipFiles, folder: string, stated: Stated): Promise<PackedDocument> {
  const { uri, hash, size, ...said } = stated;
  const name = `${folder}${uri}`;
  if (!files.entries.has(name)) throw new UnopenedMail('The metadata of the zip names a document that is not in it.');
  const bytes = await files.read(name);
  const isStated =
    (size === undefined || Number(size) === bytes.length) &&
    (hash === undefined || createHash('sha1').update(bytes).digest('hex') === hash.toLowerCase());
  if (!isStated)
    throw new UnopenedMail('A document in the zip is not the one that its metadata describes (hash, size).');
  return { name, bytes, ...said };
}

function documentsIn(xml: Buffer): Stated[] {
  const parsed = parseXml(xml, { bytes: mostMetadataBytes, elements: 200_000 });
  if (!parsed.ok) throw new UnopenedMail('The metadata of the zip cannot be read.');
  const found: Stated[] = [];
  const walk = (element: XmlElement) => {
    if (element.name === `${rim}ExtrinsicObject`) found.push(statedOf(element));
    else for (const child of element.children) walk(child);
  };
  walk(parsed.document.root);
  return found;
}

/** Classifications and identifiers of a DocumentEntry (ITI TF-3 4.2.5.1). */
const scheme = {
  type: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
  confidentiality: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  uniqueId: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
};

/** A DocumentEntry (ITI TF-3 4.2.3.2). */
function statedOf(element: XmlElement): Stated {
  const values = (name: string) => slotValues(element, name);
  const [uri] = values('URI');
  if (uri === undefined) throw new UnopenedMail('The metadata of the zip does not say where a document lies (URI).');
  const patient = new Map<string, string>();
  for (const one of values('sourcePatientInfo')) {
    const [, field, value] = /^PID-(\d+)\|(.*)$/.exec(one) ?? [];
    if (field !== undefined && value !== '') patient.set(field, value!);
  }
  const [id] = values('sourcePatientId');
  if (id && !patient.has('3')) patient.set('3', id);
  return {
    // What is long is cut in pieces that begin with their number (ITI TF-3 4.2.3.2.25).
    uri: /^\d+\|/.test(uri)
      ? values('URI')
          .map((piece) => piece.replace(/^\d+\|/, ''))
          .join('')
      : uri,
    hash: values('hash')[0],
    size: values('size')[0],
    mediaType: element.attr('mimeType') ?? 'application/octet-stream',
    title: element.find(`${rim}Name`, `${rim}LocalizedString`)?.attr('value'),
    created: values('creationTime')[0],
    uniqueId: element
      .all(`${rim}ExternalIdentifier`)
      .find((one) => one.attr('identificationScheme') === scheme.uniqueId)
      ?.attr('value'),
    type: codesOf(element, scheme.type)[0],
    confidentiality: codesOf(element, scheme.confidentiality).map(({ code }) => code),
    patient,
  };
}

function slotValues(element: XmlElement, name: string): string[] {
  return element
    .all(`${rim}Slot`)
    .filter((slot) => slot.attr('name') === name)
    .flatMap((slot) => slot.child(`${rim}ValueList`)?.all(`${rim}Value`) ?? [])
    .map(({ text }) => text);
}

function codesOf(element: XmlElement, of: string): PackedCode[] {
  return element
    .all(`${rim}Classification`)
    .filter((one) => one.attr('classificationScheme') === of && one.attr('nodeRepresentation'))
    .map((one) => ({
      code: one.attr('nodeRepresentation')!,
      system: slotValues(one, 'codingScheme')[0],
      display: one.find(`${rim}Name`, `${rim}LocalizedString`)?.attr('value'),
    }));
}

interface ZipFiles {
  entries: ReadonlyMap<string, Entry>;
  read(name: string, most?: number): Promise<Buffer>;
  close(): void;
}

/** Reads the directory of a zip. Its files may be as long as the directory says, and no longer. */
async function opened(bytes: Buffer, limits: XdmLimits): Promise<ZipFiles> {
  const yauzl = await import('yauzl');
  const unreadable = () => new UnopenedMail('The zip cannot be read.');
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    yauzl.fromBuffer(bytes, { lazyEntries: true, validateEntrySizes: true, strictFileNames: true }, (error, file) =>
      error ? reject(unreadable()) : resolve(file),
    ),
  );
  const entries = new Map<string, Entry>();
  let total = 0;
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      total += entry.uncompressedSize;
      if (entries.size === mostEntries || total > limits.bytes)
        return reject(
          new UnopenedMail(`The zip has more than ${mostEntries} files or ${limits.bytes} bytes, unpacked.`),
        );
      if (!entry.fileName.endsWith('/')) entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.on('end', resolve);
    zip.on('error', () => reject(unreadable()));
    zip.readEntry();
  });
  const read = (name: string, most = limits.bytes) =>
    new Promise<Buffer>((resolve, reject) => {
      const entry = entries.get(name)!;
      if (entry.uncompressedSize > most) return reject(new UnopenedMail('The metadata of the zip is too long.'));
      zip.openReadStream(entry, (error, stream) =>
        error ? reject(unreadable()) : buffer(stream).then(resolve, () => reject(unreadable())),
      );
    });
  return { entries, read, close: () => zip.close() };
}
