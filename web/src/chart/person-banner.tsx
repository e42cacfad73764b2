/** Who the chart is about: name, birth date, age, sex, identifiers at each organisation, contact. */

import { Group, Title } from '@mantine/core';
import type { Patient } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ageAt, formatDate } from '../fhir/dates.ts';
import {
  addressText,
  birthDateText,
  currentAddress,
  genderText,
  otherNames,
  patientName,
  telecomTexts,
} from '../fhir/people.ts';
import { personQuery } from '../links/person-query.ts';
import { Identifiers } from '../parts/identifier.tsx';
import { Mark } from '../parts/mark.tsx';
import { organisationName } from '../parts/organisation.ts';
import { isStaff, readsAccesses, useUser } from '../session/session.ts';
import { DownloadDocument } from './download-document.tsx';
import { OpenApp } from './open-app.tsx';

export function PersonBanner({ id, patient }: { id: string; patient: Patient }) {
  const role = useUser()?.role;
  const others = otherNames(patient);
  const deceased = patient.deceasedDateTime ?? (patient.deceasedBoolean ? 'yes' : undefined);
  const age = ageAt(patient.birthDate, new Date());
  return (
    <section className="panel" aria-label="Person">
      <Group gap="md" align="baseline">
        <Title order={1}>{patientName(patient)}</Title>
        {deceased && <Mark>Deceased{deceased === 'yes' ? '' : ` ${formatDate(deceased)}`}</Mark>}
        <span>
          <span className="quiet">Born</span> {birthDateText(patient)}
          {age && !deceased && ` · ${age}`}
        </span>
        <span>{genderText(patient.gender)}</span>
        {others.length > 0 && <span className="quiet">also known as {others.join(', ')}</span>}
        <Group gap="md" align="baseline" style={{ marginLeft: 'auto' }}>
          {role !== 'clinician' && (
            <Link to="/consents/$patient" params={{ patient: id }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Who may see {role === 'patient' ? 'my' : 'this'} record
            </Link>
          )}
          {readsAccesses(role) && (
            <Link to="/accesses/$patient" params={{ patient: id }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Who looked at {role === 'patient' ? 'my' : 'this'} record
            </Link>
          )}
          {(role === 'patient' || role === 'proxy') && (
            <Link to="/share/$patient" params={{ patient: id }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Share by a link
            </Link>
          )}
          {role === 'clinician' && (
            <Link to="/open-link" search={{ patient: id }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Open a health link
            </Link>
          )}
          {isStaff(role) && (
            <Link to="/people/$id/links" params={{ id }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Where this person is known
            </Link>
          )}
          <DownloadDocument id={id} />
          <OpenApp patient={id} />
        </Group>
      </Group>
      <Group gap="0.3rem 1.6rem" mt={6} className="small">
        <NumbersOf id={id} patient={patient} />
        <span>
          <span className="quiet">Address</span> {addressText(currentAddress(patient.address)) || 'not recorded'}
        </span>
        <span>
          <span className="quiet">Contact</span> {telecomTexts(patient.telecom).join(', ') || 'not recorded'}
        </span>
      </Group>
    </section>
  );
}

/** By organisation when the hub can tell whose they are, else as the Patient lists them. */
function NumbersOf({ id, patient }: { id: string; patient: Patient }) {
  const role = useUser()?.role;
  const members = useQuery({ ...personQuery(id), enabled: isStaff(role) }).data?.members;
  if (members?.some((member) => member.identifiers.length > 0)) {
    return members.map((member) => (
      <span key={member.patient}>
        <span className="quiet">{organisationName(member)}</span>{' '}
        <Identifiers identifiers={member.identifiers} beside={organisationName(member)} />
      </span>
    ));
  }
  return (patient.identifier ?? []).map((identifier) => (
    <span key={`${identifier.system}|${identifier.value}`}>
      <Identifiers identifiers={[identifier]} />
    </span>
  ));
}
