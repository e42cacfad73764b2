/** What inputs are made from: messages and documents of the simulated region, and cases that others wrote. */
import { jsonFromXml, xmlFromJson } from '@causeway/fhir';
import { messages } from '@causeway/region';
import { type CaseFile, caseFiles } from '../case-files.ts';
import { isCdaFile } from '../ccda/suite.ts';
import { isMessageFile, messagesIn } from '../hl7v2/message-files.ts';

/** `er7`: HL7 v2 messages; `cda`: documents and fragments; `json`, `xml`: FHIR resources; `bundle`: those of FHIR that are Bundles. */
export type Format = 'er7' | 'cda' | 'json' | 'xml' | 'bundle';

export type Seeds = Record<Format, Uint8Array[]>;

/** Larger files are left out: mutations make them large. */
const largestBytes = 160 * 1024;
/** So many of one format are kept, spread over all there are. */
const mostOfFormat = 300;
/** So many of the region's messages of one type, so that no type crowds out the others. */
const mostOfType = 12;
const people = 25;

/** @param cases the folder of cases, where there is one */
export function collectSeeds(cases: string | undefined): Seeds {
  const seeds: Seeds = { er7: [], cda: [], json: [], xml: [], bundle: [] };
  addRegion(seeds);
  const folders = ['hl7v2', 'ccda', 'fhir', 'v2-to-fhir'];
  if (cases !== undefined) for (const file of caseFiles(cases, folders)) addCase(seeds, file);
  for (const format of Object.keys(seeds) as Format[]) {
    const small = seeds[format].filter(({ length }) => length > 0 && length <= largestBytes);
    const step = Math.max(1, small.length / mostOfFormat);
    seeds[format] = Array.from(
      { length: Math.min(small.length, mostOfFormat) },
      (_, i) => small[Math.floor(i * step)]!,
    );
  }
  return seeds;
}

function addRegion(seeds: Seeds): void {
  const counts = new Map<string, number>();
  for (const { dialect, type, body } of messages({ people })) {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    if (count > mostOfType) continue;
    if (dialect === 'hl7v2') seeds.er7.push(Buffer.from(body));
    else if (dialect === 'ccda') seeds.cda.push(Buffer.from(body));
    else addJson(seeds, body);
  }
}

function addCase(seeds: Seeds, file: CaseFile): void {
  if (isMessageFile(file)) seeds.er7.push(...messagesIn(file).messages.map(({ bytes }) => bytes));
  else if (isCdaFile(file)) seeds.cda.push(file.bytes);
  else if (/\.json$/i.test(file.id)) addJson(seeds, file.bytes.toString());
  else if (/\.xml$/i.test(file.id) && typeof jsonFromXml(file.bytes.toString()) === 'string')
    seeds.xml.push(file.bytes);
}

function addJson(seeds: Seeds, text: string): void {
  if (!/"resourceType"/.test(text)) return;
  const bytes = Buffer.from(text);
  seeds.json.push(bytes);
  if (/"resourceType"\s*:\s*"Bundle"/.test(text)) seeds.bundle.push(bytes);
  const xml = xmlFromJson(text);
  if (typeof xml === 'string') seeds.xml.push(Buffer.from(xml));
}
