/** The rows of a page of the audit log: when, who, what, and whose records, by name where the reader may know it. */
import { doneWords } from '@causeway/access/entry-words';
import type { AuditEvent } from '@medplum/fhirtypes';
import { Link } from '@tanstack/react-router';
import { formatDateTime } from '../fhir/dates.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Mark } from '../parts/mark.tsx';
import { type PatientNames, usePatientNames } from '../people/patient-names.ts';
import { type Audited, auditedOf } from './audited.ts';

const fewPatients = 3;

export function EventRows({ events }: { events: readonly AuditEvent[] }) {
  const audited = auditedOf(events);
  const names = usePatientNames(audited.flatMap(({ patients }) => patients));
  return audited.map((one) => <Row key={one.place} audited={one} names={names} />);
}

function Row({ audited: { event, type, patients }, names }: { audited: Audited; names: PatientNames }) {
  const agent = event.agent.find(({ requestor }) => requestor) ?? event.agent[0];
  const action = event.subtype?.find(({ system }) => system === 'urn:causeway:audit-action')?.code ?? '';
  // Several records may be held to be of one person.
  const people = [...new Map(patients.map((id) => [names.get(id) ?? id, id]))];
  return (
    <tr data-event={event.id}>
      <td style={{ whiteSpace: 'nowrap' }}>
        <time dateTime={event.recorded}>{formatDateTime(event.recorded)}</time>
      </td>
      <td>{agent?.name ?? agent?.who?.display ?? agent?.who?.identifier?.value ?? 'Somebody'}</td>
      <td>
        {doneWords({ action, type })}{' '}
        {event.outcome !== '0' && <Mark tone="neutral">{event.outcomeDesc ?? 'Nothing was shown'}</Mark>}
      </td>
      <td style={{ overflowWrap: 'anywhere' }} data-label="Whose record">
        {patients.length === 0 && '–'}
        <FirstFew items={people} few={fewPatients} what="people">
          {(shown) =>
            shown.map(([name, patient]) => (
              <div key={patient}>
                <Link to="/accesses/$patient" params={{ patient }} title={patient}>
                  {name}
                </Link>
              </div>
            ))
          }
        </FirstFew>
      </td>
    </tr>
  );
}
