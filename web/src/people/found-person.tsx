/** One person in the list of those found. */
import type { Patient } from '@medplum/fhirtypes';
import { Link } from '@tanstack/react-router';
import { ageAt } from '../fhir/dates.ts';
import { addressText, birthDateText, currentAddress, genderText, otherNames, patientName } from '../fhir/people.ts';
import { sourceOf } from '../fhir/source.ts';
import { Identifiers } from '../parts/identifier.tsx';
import { Mark } from '../parts/mark.tsx';

export function FoundPerson({ patient }: { patient: Patient }) {
  const age = ageAt(patient.birthDate, new Date());
  const others = otherNames(patient);
  const numbered = (patient.identifier ?? []).filter(({ value }) => value);
  const deceased = patient.deceasedBoolean || patient.deceasedDateTime;
  return (
    <li style={{ borderBottom: '1px solid var(--line)' }}>
      <Link to="/people/$id" params={{ id: patient.id! }} data-person="" className="found-person">
        <span>
          <strong style={{ color: 'var(--mantine-color-anchor)' }}>{patientName(patient)}</strong>{' '}
          {deceased && <Mark>Deceased</Mark>}
          {others.length > 0 && <span className="quiet small"> also {others.join(', ')}</span>}
          <br />
          <span className="quiet small">{addressText(currentAddress(patient.address)) || 'Address not recorded'}</span>
        </span>
        <span>
          {birthDateText(patient)}
          {age && ` (${age})`}
          <br />
          <span className="small">{genderText(patient.gender)}</span>
        </span>
        <span className="small">
          {organisations(patient)}
          <br />
          <span className="quiet">
            {numbered.length === 0 && 'No identifiers'}
            <Identifiers identifiers={numbered} />
          </span>
        </span>
      </Link>
    </li>
  );
}

/** At which organisations the person is known: the linked source patients' names, else this record's own source. */
function organisations(patient: Patient): string {
  const linked = (patient.link ?? []).map((link) => link.other?.display).filter((name) => name !== undefined);
  const tags = (patient.meta?.tag ?? [])
    .filter((tag) => tag.system === 'urn:causeway:source')
    .map((tag) => tag.display ?? tag.code ?? '');
  const names = [...new Set([...linked, ...tags])];
  if (names.length > 0) return names.join(', ');
  return patient.link?.length ? `Known at ${patient.link.length} organisations` : sourceOf(patient).name;
}
