/**
 * One person's record as the writer looks at it: resources by type and by reference, who authored what, which
 * statements hang on which, and where documents that were converted had them.
 */
import type { Composition, CompositionSection, Patient, Provenance, Reference, Resource } from '@medplum/fhirtypes';

/** Who did what to a resource, as its Provenance tells. */
export interface Authorship {
  /** Code of the agent's type: `author`, `informant`, `performer`, … */
  kind?: string;
  who: Reference;
  onBehalfOf?: Reference;
  time?: string;
}

export class Chart {
  readonly patient: Patient;
  readonly resources: readonly Resource[];
  private readonly byReference = new Map<string, Resource>();
  private readonly byType = new Map<string, Resource[]>();
  private readonly participations = new Map<string, Authorship[]>();
  private readonly children = new Map<string, Resource[]>();
  private readonly nested = new Set<Resource>();
  private readonly sections = new Map<string, string>();

  /** @throws RangeError where there is no Patient among the resources */
  constructor(resources: readonly Resource[]) {
    this.resources = resources;
    for (const resource of resources) {
      const reference = referenceOf(resource);
      this.byReference.set(reference, resource);
      const list = this.byType.get(resource.resourceType);
      if (list === undefined) this.byType.set(resource.resourceType, [resource]);
      else list.push(resource);
    }
    const [patient] = this.all<Patient>('Patient');
    if (patient === undefined) throw new RangeError('a document needs the Patient it is about');
    this.patient = patient;
    for (const provenance of this.all<Provenance>('Provenance')) this.addParticipations(provenance);
    for (const composition of this.all<Composition>('Composition')) {
      for (const section of composition.section ?? []) this.addSection(section);
    }
    for (const resource of resources) this.hang(resource);
  }

  all<T extends Resource>(type: T['resourceType']): readonly T[] {
    return (this.byType.get(type) ?? []) as unknown as T[];
  }

  /** The resource a reference leads to, also into what the holder contains; undefined where it is not in the record. */
  find<T extends Resource>(reference: Reference | undefined, holder?: Resource): T | undefined {
    const target = reference?.reference;
    if (target === undefined) return undefined;
    if (target.startsWith('#')) {
      const contained = (holder as { contained?: Resource[] } | undefined)?.contained;
      return contained?.find(({ id }) => id === target.slice(1)) as T | undefined;
    }
    return (this.byReference.get(target) ?? this.byReference.get(target.split('/').slice(-2).join('/'))) as
      | T
      | undefined;
  }

  /** Participations of a kind; an agent whose kind is not told is an author. */
  participationsOf(resource: Resource, kind: 'author' | 'informant' | 'performer'): readonly Authorship[] {
    const all = this.participations.get(referenceOf(resource)) ?? [];
    return all.filter((one) => (one.kind ?? 'author') === kind);
  }

  /** Statements that only make sense under this one. */
  childrenOf(resource: Resource): readonly Resource[] {
    return this.children.get(referenceOf(resource)) ?? [];
  }

  /** Whether the resource is written under another one. */
  isNested(resource: Resource): boolean {
    return this.nested.has(resource);
  }

  /** LOINC code of the section of a converted document that names the resource. */
  sectionOf(resource: Resource): string | undefined {
    return this.sections.get(referenceOf(resource));
  }

  private addParticipations({ target, agent, recorded }: Provenance): void {
    for (const { type, who, onBehalfOf } of agent) {
      if (who.reference === undefined && who.identifier === undefined && who.display === undefined) continue;
      for (const { reference } of target) {
        if (reference === undefined) continue;
        const one: Authorship = { kind: type?.coding?.[0]?.code, who, onBehalfOf, time: recorded };
        const known = this.participations.get(reference);
        if (known === undefined) this.participations.set(reference, [one]);
        else known.push(one);
      }
    }
  }

  private addSection(section: CompositionSection): void {
    const code = section.code?.coding?.[0]?.code;
    if (code !== undefined) {
      for (const { reference } of section.entry ?? []) {
        if (reference !== undefined && !this.sections.has(reference)) this.sections.set(reference, code);
      }
    }
    for (const inner of section.section ?? []) this.addSection(inner);
  }

  /** Finds the statement that a resource belongs under. */
  private hang(resource: Resource): void {
    for (const [holder, member] of belongings(resource)) {
      const parent = holder === undefined ? resource : this.find(holder);
      const child = member === undefined ? resource : this.find(member);
      if (parent === undefined || child === undefined || parent === child || this.nested.has(child)) continue;
      if (!HOLDERS.has(parent.resourceType) || this.isUnder(parent, child)) continue;
      const key = referenceOf(parent);
      const list = this.children.get(key);
      if (list === undefined) this.children.set(key, [child]);
      else list.push(child);
      this.nested.add(child);
    }
  }

  /** Whether a resource already lies below another, so that a circle would close. */
  private isUnder(resource: Resource, above: Resource): boolean {
    return this.childrenOf(above).some((child) => child === resource || this.isUnder(resource, child));
  }
}

export function referenceOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id}`;
}

/** Types whose statements are written with those that hang on them. */
const HOLDERS = new Set([
  'AllergyIntolerance',
  'Condition',
  'DiagnosticReport',
  'Encounter',
  'Goal',
  'Immunization',
  'MedicationRequest',
  'MedicationStatement',
  'Observation',
  'Procedure',
  'ServiceRequest',
]);

/** Pairs of holder and member that a resource states; undefined stands for the resource itself. */
function belongings(resource: Resource): [holder: Reference | undefined, member: Reference | undefined][] {
  switch (resource.resourceType) {
    case 'DiagnosticReport':
      return (resource.result ?? []).map((member) => [undefined, member]);
    case 'Observation': {
      const members = (resource.hasMember ?? []).map((member): [undefined, Reference] => [undefined, member]);
      const holders = [...(resource.focus ?? []), ...(resource.partOf ?? [])];
      const free = resource.category === undefined;
      return [...members, ...(free ? holders.map((holder): [Reference, undefined] => [holder, undefined]) : [])];
    }
    case 'MedicationDispense':
      return (resource.authorizingPrescription ?? []).map((holder) => [holder, undefined]);
    case 'MedicationStatement':
      return (resource.derivedFrom ?? [])
        .filter(({ reference }) => reference?.startsWith('MedicationDispense/'))
        .map((member) => [undefined, member]);
    default:
      return [];
  }
}
