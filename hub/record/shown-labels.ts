/**
 * The labels that the hub put on a resource, in the `meta.security` that is sent, beside those that its source gave it.
 * They lie beside the stored text, so that labelling anew rewrites none; who writes a resource back that was read does not
 * make the source say them.
 */
import { codingsOf, label } from '@causeway/access';
import { isFhirError, objectMembers, type ScannedResource, scanResource, textOfItems } from '@causeway/fhir';
import type { Coding, Meta, Resource } from '@medplum/fhirtypes';
import { RecordError } from './errors.ts';

const observationValue = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue';

/** Says of a label who put it on (HL7 FHIR Data Segmentation for Privacy). */
const classifier = {
  url: 'http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-classifier',
  valueReference: { display: 'Causeway' },
};

/** The members of `meta` that the hub writes come first; see `canonicalText`. */
const metaMember = '"meta":{"versionId":';

/** A coding as it is written, by what tells it from others. */
interface Written {
  key: string;
  text: string;
}

const written = new Map<number, readonly Written[]>();

/** A stored text with the labels of its version. */
export function withLabels(text: string, labels: number): string {
  if (labels <= label.unlabelled || text === '') return text;
  let codings = written.get(labels);
  if (!codings) {
    codings = codingsOf(labels).map((coding) => asWritten(marked(coding)));
    written.set(labels, codings);
  }
  return withCodings(text, 'security', codings);
}

const redactedMark = { system: observationValue, code: 'REDACTED' };
const subsettedTag = { system: observationValue, code: 'SUBSETTED', display: 'subsetted' };

/** A text that lacks what is hidden from somebody, saying so: it is not the whole resource. */
export function withRedactionMark(text: string): string {
  const labelled = withCodings(text, 'security', [asWritten(marked(redactedMark))]);
  return withCodings(labelled, 'tag', [asWritten(subsettedTag)]);
}

function asWritten(coding: Coding): Written {
  return { key: keyOf(coding), text: JSON.stringify(coding) };
}

function withCodings(text: string, member: 'security' | 'tag', codings: readonly Written[]): string {
  const start = metaStart(text);
  const meta = start === undefined ? undefined : objectMembers(text, start);
  if (!meta) return text;
  const list = meta.members.find(({ key }) => key === member);
  const said = list && keysOf(JSON.parse(text.slice(list.start, list.end)));
  const more = said ? codings.filter(({ key }) => !said.has(key)) : codings;
  if (more.length === 0) return text;
  const added = more.map((coding) => coding.text).join(',');
  const at = (list?.end ?? meta.end) - 1;
  const put = said ? `${said.size > 0 ? ',' : ''}${added}` : `,"${member}":[${added}]`;
  return text.slice(0, at) + put + text.slice(at);
}

/** As `withLabels`, of a resource that is parsed. */
export function labelled<R extends Resource>(resource: R, labels: number): R {
  const { meta } = resource as { meta?: Meta };
  const said = keysOf(meta?.security);
  const more = codingsOf(labels).filter((coding) => !said.has(keyOf(coding)));
  if (more.length === 0) return resource;
  return { ...resource, meta: { ...meta, security: [...(meta?.security ?? []), ...more.map(marked)] } };
}

/** Whether a resource brings labels along. */
export function hasSecurity({ value }: Pick<ScannedResource, 'value'>): boolean {
  return ((value as { meta?: Meta }).meta?.security?.length ?? 0) > 0;
}

/**
 * A resource as somebody writes it back who read a version of it, without the labels that the hub had put on: those that
 * say so, and those that the version is shown with. What the source said stays.
 * @param before the version that there is; its text as it is stored
 * @throws RecordError 409 where a part of it was hidden from the reader
 */
export function withoutLabels(
  scanned: ScannedResource,
  before: { text: string | undefined; labels: number } | undefined,
): ScannedResource {
  if (before?.text === undefined || !hasSecurity(scanned)) return scanned;
  const said = keysOf((JSON.parse(before.text) as Resource).meta?.security);
  const shown = keysOf(codingsOf(before.labels));
  const codings = (scanned.value as { meta: Meta }).meta.security!;
  if (codings.some((coding) => isMarked(coding) && keyOf(coding) === keyOf(redactedMark))) {
    const text = 'This was read when a part of it was hidden (REDACTED): stored so, it would erase that part.';
    throw new RecordError(409, 'conflict', text, 'meta.security');
  }
  const stays = codings.map((coding) => said.has(keyOf(coding)) || !(isMarked(coding) || shown.has(keyOf(coding))));
  if (stays.every(Boolean)) return scanned;
  const { text, metaSpan } = scanned;
  const members = objectMembers(text, metaSpan!.start)!.members.flatMap(({ key, start, end }) => {
    const value = key === 'security' ? textOfItems(text, start, stays) : text.slice(start, end);
    return value === '[]' ? [] : `${JSON.stringify(key)}:${value}`;
  });
  const without = scanResource(`${text.slice(0, metaSpan!.start)}{${members.join(',')}}${text.slice(metaSpan!.end)}`);
  return isFhirError(without) ? scanned : without;
}

function marked(coding: Coding): Coding {
  return { extension: [classifier], ...coding };
}

function isMarked({ extension }: Coding): boolean {
  return (extension ?? []).some(
    ({ url, valueReference }) =>
      url === classifier.url && valueReference?.display === classifier.valueReference.display,
  );
}

function keysOf(codings: readonly Coding[] | undefined): Set<string> {
  return new Set((codings ?? []).map(keyOf));
}

function keyOf({ system, code }: Coding): string {
  return `${system ?? ''}|${code ?? ''}`;
}

/** Where the resource's own `meta` begins, which usually is before anything that could have another. */
function metaStart(text: string): number | undefined {
  const at = text.indexOf(metaMember);
  const head = at < 0 ? undefined : text.slice(1, at);
  if (head !== undefined && !head.includes('{') && !head.includes('[')) return at + '"meta":'.length;
  const scanned = scanResource(text);
  return isFhirError(scanned) ? undefined : scanned.metaSpan?.start;
}
