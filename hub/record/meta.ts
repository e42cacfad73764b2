/**
 * `$meta`, `$meta-add` and `$meta-delete` of one resource (https://hl7.org/fhir/R4/resource-operation-meta.html,
 * resource-operation-meta-add.html, resource-operation-meta-delete.html): profiles, tags and security labels as sets.
 *
 * A change makes a new version. Drafts of R4 had the operations change a version in place; the published text no longer
 * says so, and a new version keeps what every version's text says of itself true: its ETag, its history, its seal.
 * What changes nothing makes none.
 */
import { isFhirError, type ScannedResource, scanResource } from '@causeway/fhir';
import type { Meta, Resource } from '@medplum/fhirtypes';
import type { Access } from '../trust/index.ts';
import type { Audit } from './changes.ts';
import { RecordError } from './errors.ts';
import { homePatient } from './prepare.ts';
import { shownText } from './present.ts';
import type { FhirRecord } from './record.ts';
import { checkResource, mergedPatient } from './targets.ts';
import type { Version } from './transaction-resources.ts';

/** The outcome of a change: the meta as it then is. */
export interface MetaOutcome {
  status: number;
  /** The resource's text. */
  readonly text: string;
  readonly meta: Meta;
}

/** The meta that a stored text has. */
export function metaOf(text: string): Meta {
  return (JSON.parse(text) as Resource).meta ?? {};
}

/**
 * Adds labels to a resource, or takes them away; those that are there already, or are not, change nothing.
 * @throws RecordError 404, 410 where there is no such resource; 409 for a merged Patient; 422 for labels that are none
 */
export async function changeMeta(
  record: FhirRecord,
  access: Access,
  { type, id }: { type: string; id: string },
  change: 'add' | 'delete',
  labels: Meta,
  audit: Audit<MetaOutcome>,
): Promise<MetaOutcome> {
  await record.read(access, type, id);
  return record.writer.write<MetaOutcome>({
    keys: [{ type, id }],
    patients: [],
    texts: true,
    audit,
    apply: async (set) => {
      const before = set.get(type, id);
      if (!before) throw mergedPatient();
      if (before.deleted || before.text === undefined) {
        throw new RecordError(410, 'deleted', `This ${type} was deleted; its history is kept.`);
      }
      const meta = metaOf(before.text);
      const wanted = change === 'add' ? added(meta, labels) : without(meta, labels);
      if (size(wanted) === size(meta)) return { status: 200, ...shownMeta(before) };
      const scanned = withMeta(before.text, wanted);
      const patient = homePatient(scanned, id);
      await set.load([], patient === undefined ? [] : [patient]);
      const { asOf, message } = before;
      const after = set.put(scanned, type, id, { ...(asOf ? { asOf } : {}), ...(message ? { message } : {}) });
      return {
        status: 200,
        get text() {
          return shownMeta(after).text;
        },
        get meta() {
          return shownMeta(after).meta;
        },
      };
    },
  });
}

function shownMeta(version: Version): { text: string; meta: Meta } {
  const text = shownText(version)!;
  return { text, meta: metaOf(text) };
}

type Coding = NonNullable<Meta['tag']>[number];

function added(meta: Meta, { profile = [], tag = [], security = [] }: Meta): Meta {
  return {
    ...meta,
    profile: [...new Set([...(meta.profile ?? []), ...profile])],
    tag: union(meta.tag ?? [], tag),
    security: union(meta.security ?? [], security),
  };
}

function without(meta: Meta, { profile = [], tag = [], security = [] }: Meta): Meta {
  return {
    ...meta,
    profile: (meta.profile ?? []).filter((one) => !profile.includes(one)),
    tag: difference(meta.tag ?? [], tag),
    security: difference(meta.security ?? [], security),
  };
}

/** Labels are the same when system and code are: version and display say nothing of that. */
function keyOf({ system, code }: Coding): string {
  return `${system ?? ''}|${code ?? ''}`;
}

function union(there: Coding[], more: Coding[]): Coding[] {
  const known = new Set(there.map(keyOf));
  return [...there, ...more.filter((one) => !known.has(keyOf(one)) && known.add(keyOf(one)))];
}

function difference(there: Coding[], less: Coding[]): Coding[] {
  const gone = new Set(less.map(keyOf));
  return there.filter((one) => !gone.has(keyOf(one)));
}

/** How many labels there are: it tells whether any was added or taken away. */
function size({ profile = [], tag = [], security = [] }: Meta): number {
  return profile.length + tag.length + security.length;
}

/** The resource with another meta, everything else as it is written. @throws RecordError 422 */
function withMeta(text: string, meta: Meta): ScannedResource {
  const { metaSpan } = scannedText(text);
  const members = Object.entries(meta).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  const written = JSON.stringify(Object.fromEntries(members));
  const scanned = scannedText(text.slice(0, metaSpan!.start) + written + text.slice(metaSpan!.end));
  checkResource(scanned);
  return scanned;
}

function scannedText(text: string): ScannedResource {
  const scanned = scanResource(text);
  if (isFhirError(scanned)) throw new RecordError(422, 'structure', `With these labels: ${scanned.error}`, 'meta');
  return scanned;
}
