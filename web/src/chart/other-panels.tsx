/** Facts without a section of their own, and statements their source withdrew: both listed, so that nothing is hidden. */
import type { CodeableConcept, Resource } from '@medplum/fhirtypes';
import { conceptText } from '../fhir/concepts.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { ResourceLink } from '../parts/resource-link.tsx';
import { SourceChip } from '../parts/source-chip.tsx';

export function OtherPanel({ resources }: { resources: Resource[] }) {
  if (resources.length === 0) return null;
  return (
    <section className="panel" id="others" aria-labelledby="others-title">
      <h2 id="others-title">Other facts</h2>
      <Names resources={resources} />
    </section>
  );
}

export function WithdrawnPanel({ resources }: { resources: Resource[] }) {
  if (resources.length === 0) return null;
  return (
    <section className="panel" id="withdrawn" aria-labelledby="withdrawn-title">
      <h2 id="withdrawn-title">Withdrawn by their source</h2>
      <details>
        <summary className="small">
          {resources.length} {resources.length === 1 ? 'statement' : 'statements'} entered in error; not part of the
          record
        </summary>
        <Names resources={resources} />
      </details>
    </section>
  );
}

/** What each is and where from, without its value. */
function Names({ resources }: { resources: Resource[] }) {
  return (
    <ul className="small" style={{ margin: '0.4rem 0 0', paddingLeft: '1.1rem' }}>
      {resources.map((resource) => (
        <li key={`${resource.resourceType}/${resource.id}`}>
          <ResourceLink reference={`${resource.resourceType}/${resource.id}`}>
            {spaced(resource.resourceType)}: {nameOf(resource)}
          </ResourceLink>{' '}
          <SourceChip resource={resource} date={dateOf(resource)} />{' '}
          <span className="quiet">stored {formatDateTime(resource.meta?.lastUpdated)}</span>
        </li>
      ))}
    </ul>
  );
}

function nameOf(resource: Resource): string {
  const named = resource as {
    code?: CodeableConcept | string;
    type?: CodeableConcept | CodeableConcept[];
    medicationCodeableConcept?: CodeableConcept;
    vaccineCode?: CodeableConcept;
    description?: string;
    title?: string;
  };
  const concepts = [named.code, named.medicationCodeableConcept, named.vaccineCode, [named.type].flat()[0]];
  const coded = concepts.map((concept) => (typeof concept === 'object' ? conceptText(concept) : '')).find(Boolean);
  return coded ?? named.description ?? named.title ?? 'not named';
}

function dateOf(resource: Resource): string | undefined {
  const dated = resource as Partial<Record<(typeof DATES)[number], string>>;
  return DATES.map((name) => dated[name]).find(Boolean);
}

const DATES = [
  'effectiveDateTime',
  'occurrenceDateTime',
  'performedDateTime',
  'recordedDate',
  'date',
  'authoredOn',
] as const;

function spaced(type: string): string {
  return type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
}
