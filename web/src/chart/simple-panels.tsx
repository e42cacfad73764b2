/** Sections that are one plain list each: immunizations, procedures, social history, appointments. */
import type { Appointment, Immunization, Procedure, Resource } from '@medplum/fhirtypes';
import type { ReactNode } from 'react';
import { conceptText } from '../fhir/concepts.ts';
import { formatDate, formatDateTime, formatPeriod, newestFirst } from '../fhir/dates.ts';
import { quantityText } from '../fhir/quantities.ts';
import { factsOf, type PersonRecord } from '../fhir/record.ts';
import type { TestGroup } from '../fhir/results.ts';
import { Mark } from '../parts/mark.tsx';
import { SourceChip } from '../parts/source-chip.tsx';
import { Panel } from './panel.tsx';

export interface Row {
  resource: Resource;
  when: string;
  what: ReactNode;
  detail?: string;
}

export function ImmunizationPanel({ record }: { record: PersonRecord }) {
  const facts = (factsOf(record, 'Immunization') as Immunization[]).toSorted((a, b) =>
    newestFirst(a.occurrenceDateTime, b.occurrenceDateTime),
  );
  const rows = facts.map((fact) => ({
    resource: fact,
    when: formatDate(fact.occurrenceDateTime) || fact.occurrenceString || 'Date not stated',
    what: (
      <>
        {conceptText(fact.vaccineCode, 'Vaccine not stated')} {fact.status === 'not-done' && <Mark>Not given</Mark>}
      </>
    ),
    detail: [conceptText(fact.statusReason), quantityText(fact.doseQuantity), fact.lotNumber && `lot ${fact.lotNumber}`]
      .filter(Boolean)
      .join(', '),
  }));
  return <RowPanel anchor="immunizations" title="Immunizations" rows={rows} empty="No immunizations on record." />;
}

export function ProcedurePanel({ record }: { record: PersonRecord }) {
  const at = (fact: Procedure) => fact.performedDateTime ?? fact.performedPeriod?.start;
  const facts = (factsOf(record, 'Procedure') as Procedure[]).toSorted((a, b) => newestFirst(at(a), at(b)));
  const rows = facts.map((fact) => ({
    resource: fact,
    when:
      formatDate(fact.performedDateTime) ||
      formatPeriod(fact.performedPeriod) ||
      fact.performedString ||
      'Date not stated',
    what: (
      <>
        {conceptText(fact.code, 'Procedure not stated')} {fact.status === 'not-done' && <Mark>Not done</Mark>}
        {!['completed', 'not-done'].includes(fact.status) && <Mark>{fact.status}</Mark>}
      </>
    ),
    detail: [conceptText(fact.outcome), conceptText(fact.statusReason)].filter(Boolean).join(', '),
  }));
  return <RowPanel anchor="procedures" title="Procedures" rows={rows} empty="No procedures on record." />;
}

export function AppointmentPanel({ record }: { record: PersonRecord }) {
  const facts = (factsOf(record, 'Appointment') as Appointment[]).toSorted((a, b) => newestFirst(a.start, b.start));
  const rows = facts.map((fact) => ({
    resource: fact,
    when: formatDateTime(fact.start) || 'Time not stated',
    what: (
      <>
        {fact.description ??
          conceptText(fact.appointmentType ?? fact.serviceType?.[0] ?? fact.reasonCode?.[0], 'Appointment')}{' '}
        <Mark tone={fact.status === 'booked' ? 'info' : 'neutral'}>{fact.status}</Mark>
      </>
    ),
    detail: distinct(
      (fact.participant ?? [])
        .filter((each) => !each.actor?.reference?.startsWith('Patient/'))
        .map((each) => each.actor?.display),
    ),
  }));
  return <RowPanel anchor="appointments" title="Appointments" rows={rows} empty="No appointments on record." />;
}

export function SocialHistoryPanel({ groups }: { groups: TestGroup[] }) {
  const rows = groups.map(({ name, values }) => ({
    resource: values[0]!.observation,
    when: formatDate(values[0]!.date) || 'Date not stated',
    what: name,
    detail: values[0]!.text,
  }));
  return <RowPanel anchor="social-history" title="Social history" rows={rows} empty="No social history on record." />;
}

function distinct(names: (string | undefined)[]): string {
  return [...new Set(names.filter(Boolean))].join(', ');
}

/** A section of rows: when, what with a detail, where from. */
export function RowPanel({
  anchor,
  title,
  rows,
  empty,
}: {
  anchor: string;
  title: string;
  rows: Row[];
  empty: string;
}) {
  return (
    <Panel anchor={anchor} title={title} size={rows.length} empty={empty}>
      <div className="scroll-x">
        <table className="facts">
          <caption className="visually-hidden">{title}</caption>
          <tbody>
            {rows.map(({ resource, when, what, detail }) => (
              <tr key={resource.id}>
                <td className="small" style={{ whiteSpace: 'nowrap', width: '7.5rem' }}>
                  {when}
                </td>
                <td>
                  {what}
                  {detail && <div className="small quiet">{detail}</div>}
                </td>
                <td>
                  <SourceChip resource={resource} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
