/** What the writers of sections share: the record, the document's options, and the account of what was written. */
import type { Encounter, Organization, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { Chart, referenceOf } from './chart.ts';
import { type CdaElement, el } from './element.ts';

export interface CcdaOptions {
  kind: 'ccd' | 'discharge-summary' | 'referral-note';
  /** UUID of the document. */
  id: string;
  /** When it is written, with time zone. */
  time: string;
  /** Who keeps the record. */
  custodian: Organization;
  /** The software that writes, as the document's author. */
  software: { manufacturer: string; name: string };
  /** The stay a discharge summary is of; the last one with an end unless told. */
  encounter?: string;
  /** The ServiceRequest that a referral note is of. */
  request?: string;
  /** `languageCode`; en-US unless told. */
  language?: string;
  version?: WrittenVersion;
  /** Why what the version before said does not hold: the document says that in each section, and nothing else. */
  withdrawn?: string;
}

/** Which version of a document it is (CDA R2 4.2.1.7, 4.2.1.8), and the one whose place it takes (4.2.3.1, `RPLC`). */
export interface WrittenVersion {
  /** What all versions have in common: a UUID, and an extension of it. */
  setId: { root: string; extension: string };
  number: number;
  replaces?: { id: string; number: number };
}

/** A resource that the document does not tell of, with the reason. */
export interface Omission {
  reference: string;
  reason: string;
}

export class Writer {
  readonly chart: Chart;
  readonly options: CcdaOptions;
  /** The stay of a discharge summary. */
  readonly stay: Encounter | undefined;
  /** The request of a referral note. */
  readonly referral: ServiceRequest | undefined;
  private readonly written = new Set<Resource>();
  private readonly footnotes: CdaElement[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(resources: readonly Resource[], options: CcdaOptions) {
    this.chart = new Chart(resources);
    this.options = options;
    this.referral = options.request === undefined ? undefined : this.chart.find({ reference: options.request });
    this.stay = options.kind === 'discharge-summary' ? stayOf(this.chart, options.encounter) : undefined;
  }

  /** An ID in the narrative, unlike any other of the document. */
  nextId(prefix: string): string {
    const number = (this.numbers.get(prefix) ?? 0) + 1;
    this.numbers.set(prefix, number);
    return `${prefix}-${number}`;
  }

  /** Puts words into the narrative of the section that is being written, and gives the ID to point at them. */
  footnote(words: string): string {
    const id = this.nextId('note');
    this.footnotes.push(el('paragraph', { ID: id }, words));
    return id;
  }

  /** The words so far, which are the next section's no longer. */
  takeFootnotes(): CdaElement[] {
    return this.footnotes.splice(0);
  }

  /** Notes that a resource is told of; whether it was so already. */
  take(resource: Resource): boolean {
    if (this.written.has(resource)) return true;
    this.written.add(resource);
    return false;
  }

  isTaken(resource: Resource): boolean {
    return this.written.has(resource);
  }

  /** Clinical resources that no section took. */
  omissions(): Omission[] {
    return this.chart.resources
      .filter((resource) => !this.written.has(resource) && !BACKGROUND.has(resource.resourceType))
      .map((resource) => ({ reference: referenceOf(resource), reason: reasonFor(resource, this.options) }));
  }
}

/** Resources that are told through those that refer to them. */
const BACKGROUND = new Set([
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'RelatedPerson',
  'Provenance',
  'Composition',
  'Specimen',
  'Device',
  'Medication',
  'Substance',
  'Account',
  'MessageHeader',
  'Bundle',
]);

function reasonFor(resource: Resource, { kind }: CcdaOptions): string {
  const { status } = resource as { status?: string };
  if (status === 'entered-in-error') return 'entered in error';
  if (resource.resourceType === 'DocumentReference') return 'a document of its own';
  if (resource.resourceType === 'CarePlan') return 'no longer in force';
  if (kind === 'discharge-summary') return 'not of the stay, or the document has no section for it';
  return 'nothing is said, or the document has no section for it';
}

/** The stay told, or the last inpatient encounter with an end, or the last encounter with one. */
function stayOf(chart: Chart, told: string | undefined): Encounter | undefined {
  if (told !== undefined) return chart.find<Encounter>({ reference: told });
  const ended = chart
    .all<Encounter>('Encounter')
    .filter(({ period, status }) => period?.end !== undefined && status !== 'entered-in-error')
    .sort((a, b) => (a.period!.end! < b.period!.end! ? 1 : -1));
  return ended.find(({ class: kind }) => INPATIENT.has(kind?.code ?? '')) ?? ended[0];
}

const INPATIENT = new Set(['IMP', 'ACUTE', 'NONAC', 'SS', 'OBSENC']);
