/** One person's resources as the summary looks at them: by type, by reference, and by time. */
import type { Patient, Reference, Resource } from '@medplum/fhirtypes';

export class Chart {
  readonly patient: Patient;
  readonly #byReference = new Map<string, Resource>();
  readonly #ofPatient = new Map<string, Resource[]>();

  /** @throws RangeError where there is no Patient among the resources */
  constructor(resources: readonly Resource[]) {
    for (const resource of resources) this.#byReference.set(referenceOf(resource), resource);
    const patient = resources.find((one): one is Patient => one.resourceType === 'Patient');
    if (patient === undefined) throw new RangeError('a summary needs the Patient it is of');
    this.patient = patient;
    const subject = referenceOf(patient);
    for (const resource of this.#byReference.values()) {
      const { subject: of, patient: its } = resource as { subject?: Reference; patient?: Reference };
      if (targetOf(of ?? its) !== subject) continue;
      const list = this.#ofPatient.get(resource.resourceType);
      if (list === undefined) this.#ofPatient.set(resource.resourceType, [resource]);
      else list.push(resource);
    }
  }

  /** The resources of a type whose subject is the patient. */
  all<T extends Resource>(type: T['resourceType']): readonly T[] {
    return (this.#ofPatient.get(type) ?? []) as unknown as T[];
  }

  /** The resource a reference leads to, also into what the holder contains; undefined where it is not in the record. */
  find<T extends Resource>(reference: Reference | undefined, holder?: Resource): T | undefined {
    const target = targetOf(reference);
    if (!target?.startsWith('#')) return this.#byReference.get(target ?? '') as T | undefined;
    const contained = (holder as { contained?: Resource[] } | undefined)?.contained;
    return contained?.find(({ id }) => id === target.slice(1)) as T | undefined;
  }
}

export function referenceOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id}`;
}

/** The target of a reference, without the version; undefined where it names none. */
export function targetOf(reference: Reference | undefined): string | undefined {
  return reference?.reference?.replace(/\/_history\/[^/]+$/, '');
}

const TIMES = [
  'effectiveDateTime',
  'effectivePeriod',
  'effectiveInstant',
  'performedDateTime',
  'performedPeriod',
  'occurrenceDateTime',
  'onsetDateTime',
  'onsetPeriod',
  'timingDateTime',
  'timingPeriod',
  'whenHandedOver',
  'authoredOn',
  'recordedDate',
  'dateAsserted',
  'dateTime',
  'date',
  'issued',
  'period',
  'created',
];

/** When what a resource tells of took place, or was said, as it states it. */
export function timeOf(resource: Resource): string | undefined {
  const fields = resource as unknown as Record<string, unknown>;
  for (const name of TIMES) {
    const value = fields[name];
    if (typeof value === 'string') return value;
    const { start, end } = (value ?? {}) as { start?: string; end?: string };
    if (end !== undefined || start !== undefined) return end ?? start;
  }
  return undefined;
}

/** Milliseconds since 1970 of what a resource tells of; where it says nothing, before all that does. */
export function moment(resource: Resource): number {
  const stated = Date.parse(timeOf(resource) ?? '');
  return Number.isNaN(stated) ? Number.NEGATIVE_INFINITY : stated;
}

/** The latest first; of the same time, what the record learned last. */
export function newestFirst<T extends Resource>(resources: readonly T[]): T[] {
  const learned = ({ meta }: Resource) => meta?.lastUpdated ?? '';
  return resources.toSorted(
    (a, b) => compare(moment(b), moment(a)) || compare(learned(b), learned(a)) || compare(a.id!, b.id!),
  );
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Of the resources with the same key the latest; all of those without a key. */
export function latestOfEach<T extends Resource>(
  resources: readonly T[],
  keyOf: (resource: T) => string | undefined,
): T[] {
  const seen = new Set<string>();
  return newestFirst(resources).filter((resource) => {
    const key = keyOf(resource);
    if (key === undefined) return true;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
