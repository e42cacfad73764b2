import { randomUUID } from 'node:crypto';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { xdmZip } from './xdm.ts';
import { readXdm } from './xdm-read.ts';

const limits = { bytes: 1024 * 1024 };
const document = {
  id: randomUUID(),
  title: 'Summary & more',
  bytes: Buffer.from('<ClinicalDocument/>'),
  mediaType: 'text/xml',
  created: new Date('2026-02-03T04:05:06Z'),
};
const folder = 'IHE_XDM/SUBSET01';

async function written(): Promise<Uint8Array> {
  const submitted = new Date('2026-02-03T04:05:07Z');
  return xdmZip({ id: randomUUID(), submitted, from: 'a@hub.example', to: 'b@practice.example', document });
}

/** The files of what the hub writes, changed. */
async function changed(change: (files: Record<string, Uint8Array>) => void): Promise<Buffer> {
  const files = unzipSync(await written());
  change(files);
  return Buffer.from(zipSync(files));
}

const metadata = (files: Record<string, Uint8Array>) => Buffer.from(files[`${folder}/METADATA.XML`]!).toString();

it('the documents that the metadata names are found, with what it says of them', async () => {
  const coded = (scheme: string, code: string, name: string) =>
    `<rim:Classification classificationScheme="urn:uuid:${scheme}" nodeRepresentation="${code}"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.9</rim:Value></rim:ValueList></rim:Slot><rim:Name><rim:LocalizedString value="${name}"/></rim:Name></rim:Classification>`;
  const codes = `${coded('f0306f51-975f-434e-a61c-c59651d33983', '11502-2', 'Laboratory report')}${coded('f4f85eac-e6cb-4883-b524-f2705394840f', 'R', 'Restricted')}`;
  const slot = `<rim:Slot name="sourcePatientInfo"><rim:ValueList><rim:Value>PID-3|7^^^&amp;1.2.3&amp;ISO</rim:Value><rim:Value>PID-5|Dow^Ann</rim:Value></rim:ValueList></rim:Slot>`;
  const zip = await changed((files) => {
    const text = metadata(files)
      .replace('<rim:Slot name="URI">', `${slot}<rim:Slot name="URI">`)
      .replace('</rim:ExtrinsicObject>', `${codes}</rim:ExtrinsicObject>`);
    files[`${folder}/METADATA.XML`] = strToU8(text);
  });
  expect(await readXdm(zip, limits)).toEqual([
    {
      name: `${folder}/DOC0001.XML`,
      bytes: document.bytes,
      mediaType: 'text/xml',
      title: 'Summary & more',
      created: '20260203040506',
      uniqueId: `2.25.${BigInt(`0x${document.id.replaceAll('-', '')}`)}`,
      type: { code: '11502-2', system: '1.2.9', display: 'Laboratory report' },
      confidentiality: ['R'],
      patient: new Map([
        ['3', '7^^^&1.2.3&ISO'],
        ['5', 'Dow^Ann'],
      ]),
    },
  ]);
});

it.each([
  ['another document than described', /hash, size/, (files) => (files[`${folder}/DOC0001.XML`] = strToU8('<Other/>'))],
  ['no document', /not in it/, (files) => delete files[`${folder}/DOC0001.XML`]],
  ['no metadata', /METADATA/, (files) => delete files[`${folder}/METADATA.XML`]],
  [
    'metadata that refers outside',
    /not in it/,
    (files) => (files[`${folder}/METADATA.XML`] = strToU8(metadata(files).replace('DOC0001.XML', '../../INDEX.HTM'))),
  ],
  ['metadata that is no XML', /cannot be read/, (files) => (files[`${folder}/METADATA.XML`] = strToU8('<a>'))],
  ['more than is allowed', /unpacked/, (files) => (files['bomb.bin'] = new Uint8Array(2 * limits.bytes))],
] as [string, RegExp, (files: Record<string, Uint8Array>) => void][])('%s is refused', async (_, words, change) => {
  await expect(readXdm(await changed(change), limits)).rejects.toThrow(words);
});

it('a zip that grows beyond what its directory says, and what is none, are refused', async () => {
  const zip = await changed((files) => (files['bomb.bin'] = new Uint8Array(2 * limits.bytes)));
  // The size that the directory tells, behind its signature.
  const at = zip.indexOf('bomb.bin', zip.indexOf('PK\x01\x02', 'latin1'), 'latin1') - 46 + 24;
  zip.writeUInt32LE(10, at);
  const text = Buffer.from(zip);
  // It is not named by the metadata, and so never unpacked.
  expect(await readXdm(text, limits)).toHaveLength(1);
  const lying = await changed((files) => {
    files[`${folder}/DOC0001.XML`] = new Uint8Array(2 * limits.bytes);
  });
  const place = lying.indexOf('DOC0001.XML', lying.indexOf('PK\x01\x02', 'latin1'), 'latin1') - `${folder}/`.length;
  lying.writeUInt32LE(document.bytes.length, place - 46 + 24);
  await expect(readXdm(lying, limits)).rejects.toThrow(/cannot be read/);
  await expect(readXdm(Buffer.from('PK\x03\x04 nothing'), limits)).rejects.toThrow(/cannot be read/);
});
