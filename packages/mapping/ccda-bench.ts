/**
 * Conversions of a C-CDA of 150 KB into facts and ledger per second of CPU time, from bytes on, and with `--large MB` the
 * memory that one document of that size takes, with `--scanned` one that is a PDF in base64.
 * Run: `npx causeway-node packages/mapping/ccda-bench.ts [--large 60 [--scanned]]`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCda } from '@causeway/ccda';
import { convertCcda, convertCcdaInto } from './src/index.ts';

const T = '2.16.840.1.113883.10.20.22.4.';
const SNOMED = 'codeSystem="2.16.840.1.113883.6.96" codeSystemName="SNOMED CT"';
const LOINC = 'codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"';
const RXNORM = 'codeSystem="2.16.840.1.113883.6.88" codeSystemName="RxNorm"';
const AUTHOR = `<author><templateId root="${T}119"/><time value="20240226101500+0100"/><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="1093000007"/><code code="207Q00000X" codeSystem="2.16.840.1.113883.6.101" displayName="Family Medicine"/><assignedPerson><name><given>Ilya</given><family>Thorne</family></name></assignedPerson></assignedAuthor></author>`;
const id = (kind: string, n: number): string => `<id root="1.2.826.0.9" extension="${kind}-${n}"/>`;
const template = (oid: string): string =>
  `<templateId root="${T}${oid}"/><templateId root="${T}${oid}" extension="2015-08-01"/>`;

function concern(n: number): string {
  return `<entry typeCode="DRIV"><act classCode="ACT" moodCode="EVN">${template('3')}${id('C', n)}<code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>
<statusCode code="active"/><effectiveTime><low value="20190101"/></effectiveTime>${AUTHOR}
<entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">${template('4')}${id('P', n)}
<code code="64572001" ${SNOMED} displayName="Condition"><translation code="75323-6" ${LOINC} displayName="Condition"/></code>
<text><reference value="#problem${n}"/></text><statusCode code="completed"/><effectiveTime><low value="20180${1 + (n % 9)}01"/></effectiveTime>
<value xsi:type="CD" code="3834${1000 + n}" ${SNOMED} displayName="Hypertensive disorder ${n}"><originalText><reference value="#problem${n}"/></originalText>
<translation code="I${10 + n}" codeSystem="2.16.840.1.113883.6.90" displayName="Essential (primary) hypertension"/></value>
<entryRelationship typeCode="REFR"><observation classCode="OBS" moodCode="EVN">${template('6')}<code code="33999-4" ${LOINC}/><statusCode code="completed"/>
<value xsi:type="CD" code="55561003" ${SNOMED} displayName="Active"/></observation></entryRelationship>
</observation></entryRelationship></act></entry>`;
}

function medication(n: number): string {
  return `<entry typeCode="DRIV"><substanceAdministration classCode="SBADM" moodCode="EVN">${template('16')}${id('M', n)}
<text><reference value="#med${n}"/></text><statusCode code="active"/><effectiveTime xsi:type="IVL_TS"><low value="20230101"/></effectiveTime>
<effectiveTime xsi:type="PIVL_TS" institutionSpecified="true" operator="A"><period value="12" unit="h"/></effectiveTime>
<routeCode code="C38288" codeSystem="2.16.840.1.113883.3.26.1.1" displayName="ORAL"/><doseQuantity value="1" unit="{tbl}"/>
<consumable><manufacturedProduct classCode="MANU">${template('23')}<manufacturedMaterial><code code="1978${10 + n}" ${RXNORM} displayName="Lisinopril ${n} MG Oral Tablet"><originalText><reference value="#med${n}"/></originalText></code></manufacturedMaterial></manufacturedProduct></consumable>
${AUTHOR}</substanceAdministration></entry>`;
}

function panel(n: number): string {
  const results = [1, 2, 3, 4, 5, 6].map(
    (
      k,
    ) => `<component><observation classCode="OBS" moodCode="EVN">${template('2')}${id('R', 10 * n + k)}<code code="23${40 + k}-7" ${LOINC} displayName="Glucose [Mass/volume] in Serum or Plasma"/>
<text><reference value="#result${n}-${k}"/></text><statusCode code="completed"/><effectiveTime value="20240226080000+0100"/><value xsi:type="PQ" value="${90 + k}" unit="mg/dL"/>
<interpretationCode code="H" codeSystem="2.16.840.1.113883.5.83"/><referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="70" unit="mg/dL"/><high value="99" unit="mg/dL"/></value></observationRange></referenceRange></observation></component>`,
  );
  return `<entry typeCode="DRIV"><organizer classCode="BATTERY" moodCode="EVN">${template('1')}${id('O', n)}<code code="24323-8" ${LOINC} displayName="Comprehensive metabolic panel"/><statusCode code="completed"/>
<effectiveTime value="20240226080000+0100"/>${AUTHOR}${results.join('')}</organizer></entry>`;
}

const rows = (count: number, cells: (n: number) => string): string =>
  `<table border="1"><thead><tr><th>What</th><th>When</th><th>State</th></tr></thead><tbody>${Array.from({ length: count }, (_, n) => cells(n)).join('')}</tbody></table>`;

function section(oid: string, loinc: string, title: string, text: string, entries: string): string {
  return `<component><section><templateId root="2.16.840.1.113883.10.20.22.2.${oid}"/><code code="${loinc}" ${LOINC} displayName="${title}"/><title>${title}</title>
<text>${text}</text>${entries}</section></component>`;
}

/** A CCD with `size` problems, medications and panels of six results; 40 make about 150 KB. */
function document(size: number): Buffer {
  const many = (one: (n: number) => string): string => Array.from({ length: size }, (_, n) => one(n)).join('');
  const row = (name: string) => (n: number) =>
    `<tr ID="${name}${n}"><td><content ID="${name}-what${n}">Entry ${n} &amp; what was said of it at length</content></td><td>2024-02-26</td><td>Active</td></tr>`;
  const parts = [1, 2, 3, 4, 5, 6];
  const result = (n: number): string =>
    parts.map((k) => `<tr ID="result${n}-${k}"><td>Glucose</td><td>${90 + k} mg/dL</td><td>High</td></tr>`).join('');
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<realmCode code="US"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/>
<id root="1.2.826.0.1" extension="DOC-1"/><code code="34133-9" ${LOINC} displayName="Summary of episode note"/><title>Summary of care</title>
<effectiveTime value="20240301101500+0100"/><confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="en-US"/>
<recordTarget><patientRole><id root="1.2.826.0.2" extension="4471920"/><addr use="HP"><streetAddressLine>77 Quarry Rise</streetAddressLine><city>Northwater</city></addr><telecom use="MC" value="tel:+1-206-555-0143"/>
<patient><name use="L"><given>Maris</given><family>Okerlund</family></name><administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19610417"/></patient></patientRole></recordTarget>
${AUTHOR}<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.0.3"/><name>Riverside</name></representedCustodianOrganization></assignedCustodian></custodian>
<component><structuredBody>
${section('5.1', '11450-4', 'Problems', rows(size, row('problem')), many(concern))}
${section('1.1', '10160-0', 'Medications', rows(size, row('med')), many(medication))}
${section('3.1', '30954-2', 'Results', rows(size, result), many(panel))}
</structuredBody></component></ClinicalDocument>`);
}

const CONTEXT = { source: 'bench', receivedAt: '2024-03-02T00:00:00Z', messageUri: 'urn:causeway:message:1' };

function convert(bytes: Buffer): number {
  const parsed = parseCda(bytes);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return convertCcda(parsed.document, CONTEXT).facts.length;
}

/** Converts as the hub does: texts of all facts are what is left. */
function convertToTexts(bytes: Buffer): { facts: number; atoms: number; characters: number } {
  const parsed = parseCda(bytes);
  if (!parsed.ok) throw new Error(parsed.error.message);
  const texts: string[] = [];
  let atoms = 0;
  convertCcdaInto(parsed.document, CONTEXT, {
    fact: ({ resource }) => texts.push(JSON.stringify(resource)),
    atom: () => void atoms++,
  });
  return { facts: texts.length, atoms, characters: texts.reduce((sum, text) => sum + text.length, 0) };
}

/** Runs for about six seconds of CPU; answers operations per second of it. */
function rate(operation: () => void): number {
  for (let i = 0; i < 60; i++) operation();
  const begin = process.cpuUsage();
  let [count, spent] = [0, 0];
  while (spent < 6e6) {
    for (let i = 0; i < 10; i++) operation();
    count += 10;
    const { user, system } = process.cpuUsage(begin);
    spent = user + system;
  }
  return Math.round((count * 1e6) / spent);
}

/** A document that is a PDF of so many bytes. */
function scanned(bytes: number): Buffer {
  const text = document(0).toString();
  const start = text.indexOf('<structuredBody>');
  const end = text.indexOf('</structuredBody>') + '</structuredBody>'.length;
  const pdf = Buffer.alloc(bytes, 'some bytes of a scanned page that say nothing').toString('base64');
  const body = `<nonXMLBody><text mediaType="application/pdf" representation="B64">${pdf}</text></nonXMLBody>`;
  return Buffer.from(text.slice(0, start) + body + text.slice(end));
}

/** The settings of memory in which the hub converts (`hub/bin/lean-memory.js`). */
const LIKE_THE_HUB = ['--heap-growing-percent=50', '--max-semi-space-size=16'];

/** Converts the document in a file: a process of its own, so that its memory is that of the conversion. */
function measureLarge(file: string): void {
  const bytes = readFileSync(file);
  const before = process.memoryUsage().rss;
  const began = process.cpuUsage();
  const { facts, atoms, characters } = convertToTexts(bytes);
  const { user, system } = process.cpuUsage(began);
  console.table([
    {
      'document MB': Math.round(bytes.length / 1e6),
      facts,
      atoms,
      'facts MB': Math.round(characters / 1e6),
      'CPU s': Math.round((user + system) / 1e5) / 10,
      'RSS before MB': Math.round(before / 1e6),
      'peak RSS MB': Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
    },
  ]);
}

const [mode, value] = process.argv.slice(2);
if (mode === '--file') measureLarge(value!);
else if (mode === '--large') {
  const size = Number(value ?? 60) * 1e6;
  const folder = mkdtempSync(join(tmpdir(), 'causeway-ccda-bench-'));
  const file = join(folder, 'document.xml');
  const isScanned = process.argv.includes('--scanned');
  writeFileSync(file, isScanned ? scanned(0.75 * size) : document(Math.round(size / (document(400).length / 400))));
  execFileSync(process.execPath, [...LIKE_THE_HUB, ...process.execArgv, process.argv[1]!, '--file', file], {
    stdio: 'inherit',
    env: { ...process.env, MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576', MALLOC_MMAP_THRESHOLD_: '131072' },
  });
  rmSync(folder, { recursive: true });
} else {
  const bytes = document(15);
  console.table([
    {
      bytes: bytes.length,
      facts: convert(bytes),
      'XML and document /s': rate(() => void parseCda(bytes)),
      'facts and ledger /s': rate(() => void convert(bytes)),
    },
  ]);
}
