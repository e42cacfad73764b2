/**
 * The International Patient Summary of a record (http://hl7.org/fhir/uv/ips/STU1.1): a document Bundle whose Composition
 * has the guide's sections, with the resources that they name and those that explain them, each made fit for its profile.
 */
import { createHash } from 'node:crypto';
import { isFhirError, parseExact } from '@causeway/fhir';
import type { Composition, CompositionSection, Device, Reference, Resource } from '@medplum/fhirtypes';
import { noInformation } from './absent.ts';
import { Chart, referenceOf, targetOf } from './chart.ts';
import { ACT_CODE, CONFIDENTIALITY, ipsProfile, LOINC } from './codes.ts';
import { fit } from './fit.ts';
import { tableNarrative, wordsNarrative } from './narrative.ts';
import { isStanding } from './observations.ts';
import { addressed, referencesIn } from './references.ts';
import { SECTIONS, type SectionKind } from './sections.ts';

export interface SummaryOptions {
  /** UUID of the document. */
  id: string;
  /** When it is made, as an instant. */
  time: string;
  /** The address under which the record's resources are found. */
  base: string;
  /** The name of what makes it. */
  software: string;
}

/**
 * Writes the summary of the Patient among the resources, which hold all that is known of the person.
 * @param texts resources as JSON, whose numbers keep their digits
 * @returns the Bundle as JSON
 * @throws RangeError where there is no Patient
 */
export function writeSummary(texts: readonly string[], options: SummaryOptions): string {
  return JSON.stringify(new Summary(new Chart(texts.map(read)), options).bundle());
}

function read(text: string): Resource {
  const parsed = parseExact(text);
  if (isFhirError(parsed)) throw new Error('a resource of the record is no JSON');
  return parsed.value as unknown as Resource;
}

const NONE_TOLD = { medications: 'current medications', allergies: 'allergies', problems: 'current problems' } as const;

/** Types that explain what a section tells of, wherever they are named. */
const EXPLAINING = new Set(['Device', 'Medication', 'Organization', 'Practitioner', 'PractitionerRole', 'Specimen']);
/** Members by which a resource names what is part of it. */
const PARTS = new Set(['result', 'hasMember', 'imagingStudy']);
const LEVELS = ['U', 'L', 'M', 'N', 'R', 'V'];

class Summary {
  readonly #chart: Chart;
  readonly #options: SummaryOptions;
  /** What the document tells of, in its order, by `Type/id`. */
  readonly #told = new Map<string, Resource>();
  /** References to resources that are made for this document alone. */
  readonly #made = new Set<string>();

  constructor(chart: Chart, options: SummaryOptions) {
    this.#chart = chart;
    this.#options = options;
  }

  bundle(): object {
    const { id, time, base } = this.#options;
    const author = this.#author();
    this.#tell(this.#chart.patient);
    const section = SECTIONS.flatMap((kind) => this.#section(kind) ?? []);
    this.#addExplaining();
    this.#tell(author);
    const used = new Set([...this.#told.values()].flatMap(usedDevice));
    const patient = referenceOf(this.#chart.patient);
    const isUsed = (device: Device) => used.has(referenceOf(device));
    const resources = [...this.#told.values()].map((one) => (one === author ? one : fit(one, { patient, isUsed })));
    const composition = this.#composition(section, author, resources);
    this.#made.add(referenceOf(composition));
    const all = [composition, ...resources];
    const known = new Set(all.map(referenceOf));
    const address = (target: string) =>
      this.#made.has(target) ? `urn:uuid:${target.split('/')[1]}` : `${base}/${target}`;
    return {
      resourceType: 'Bundle',
      id,
      meta: { profile: [ipsProfile('Bundle-uv-ips')] },
      identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${id}` },
      type: 'document',
      timestamp: time,
      entry: all.map((resource) => ({
        fullUrl: address(referenceOf(resource)),
        resource: addressed(resource, known, address, base),
      })),
    };
  }

  #section(kind: SectionKind): CompositionSection | undefined {
    const { code, title, columns, demanded } = kind;
    const { entries, others = [], below = [] } = kind.tell(this.#chart, (name) => this.#newId(name));
    const head = { title, code: { coding: [{ system: LOINC, code }] } };
    if (entries.length > 0 || others.length > 0) {
      for (const { resource } of entries) this.#tell(resource);
      const rows = [...entries.flatMap((one) => one.rows), ...others];
      const entry = entries.map(({ resource }) => ({ reference: referenceOf(resource) }));
      return { ...head, text: tableNarrative(columns, rows, below), ...(entry.length > 0 ? { entry } : {}) };
    }
    if (demanded === undefined) return undefined;
    const patient = referenceOf(this.#chart.patient);
    const none = noInformation(demanded, this.#newId(demanded), patient);
    this.#tell(none);
    const text = wordsNarrative(`There is no information about ${NONE_TOLD[demanded]} in this record.`, ...below);
    return { ...head, text, entry: [{ reference: referenceOf(none) }] };
  }

  #composition(section: CompositionSection[], author: Resource, resources: readonly Resource[]): Composition {
    const confidentiality = highest(resources);
    return {
      resourceType: 'Composition',
      id: this.#newId('Composition'),
      meta: { profile: [ipsProfile('Composition-uv-ips')] },
      language: 'en',
      text: wordsNarrative(`Patient summary, made from the record on ${this.#options.time.slice(0, 10)}.`),
      identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${this.#newId('summary')}` },
      status: 'final',
      type: { coding: [{ system: LOINC, code: '60591-5' }] },
      subject: { reference: referenceOf(this.#chart.patient) },
      date: this.#options.time,
      author: [{ reference: referenceOf(author) }],
      title: 'Patient Summary',
      ...(confidentiality === undefined ? {} : { confidentiality }),
      section,
    } as Composition;
  }

  #author(): Device {
    return {
      resourceType: 'Device',
      id: this.#newId('author'),
      deviceName: [{ name: this.#options.software, type: 'user-friendly-name' }],
    };
  }

  #tell(resource: Resource): void {
    this.#told.set(referenceOf(resource), resource);
  }

  /** What those that are told name: who did it, with what, and what is part of it. */
  #addExplaining(): void {
    for (const resource of this.#told.values()) {
      for (const { member, reference } of referencesIn(resource)) {
        const target = targetOf(reference);
        if (target === undefined || this.#told.has(target)) continue;
        if (!EXPLAINING.has(target.split('/')[0]!) && !PARTS.has(member)) continue;
        const found = this.#chart.find<Resource>(reference, resource);
        if (found === undefined || target.startsWith('#')) continue;
        if (found.resourceType === 'Observation' && !isStanding(found)) continue;
        this.#tell(found);
      }
    }
  }

  /** An id that is the same for the same name in this document (RFC 9562, version 8). */
  #newId(name: string): string {
    const hex = createHash('sha256').update(`${this.#options.id} ${name}`).digest('hex');
    const id = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `8${hex.slice(13, 16)}`,
      `a${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ].join('-');
    for (const type of MADE) this.#made.add(`${type}/${id}`);
    return id;
  }
}

/** Types of resources that are made for a document. */
const MADE = ['AllergyIntolerance', 'Composition', 'Condition', 'Device', 'DeviceUseStatement', 'MedicationStatement'];

function usedDevice(resource: Resource): string[] {
  if (resource.resourceType !== 'DeviceUseStatement') return [];
  return [targetOf(resource.device as Reference)].flatMap((one) => one ?? []);
}

/** The highest level of confidentiality of a resource of the document; what is labelled as sensitive is restricted. */
function highest(resources: readonly Resource[]): string | undefined {
  const levels = resources.flatMap(({ meta }) =>
    (meta?.security ?? []).flatMap(({ system, code = '' }) =>
      system === CONFIDENTIALITY ? LEVELS.indexOf(code) : system === ACT_CODE ? LEVELS.indexOf('R') : [],
    ),
  );
  return LEVELS[Math.max(-1, ...levels)];
}
