/** Choosing the one person whose record an app may see. */
import { Group, Radio, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { Patient } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { getJson } from '../api/request.ts';
import { birthDateText, genderText, patientName } from '../fhir/people.ts';
import { bindingsQuery } from '../mine/bindings-query.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { findPeopleQuery, searchParameters, typedBirthDate } from '../people/find-people.ts';
import { readsPatients, useUser } from '../session/session.ts';

interface Choosing {
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}

/** Staff search; patients and those who act for them choose among those whom they stand for. */
export function PatientChoice(choosing: Choosing) {
  const role = useUser()?.role;
  return role === 'patient' || role === 'proxy' ? <OwnChoice {...choosing} /> : <SearchedChoice {...choosing} />;
}

function OwnChoice({ chosen, onChoose }: Choosing) {
  const query = useQuery(bindingsQuery);
  const only = query.data?.length === 1 ? query.data[0]!.patient : undefined;
  useEffect(() => {
    if (only !== undefined && chosen === undefined) onChoose(only);
  }, [only, chosen, onChoose]);
  return (
    <section className="panel">
      <h2>Whose record may it see?</h2>
      <Loaded query={query} what="whose record you may see">
        {(bindings) =>
          bindings.length === 0 ? (
            <Notice>This account stands for nobody, so there is no record that an app could see.</Notice>
          ) : (
            <Radio.Group label="One person" value={chosen ?? null} onChange={(id) => onChoose(id)}>
              <Stack gap={6} mt={6}>
                {bindings.map(({ id, patient }) => (
                  <Radio key={id} value={patient} label={<PatientName id={patient} />} />
                ))}
              </Stack>
            </Radio.Group>
          )
        }
      </Loaded>
    </section>
  );
}

function SearchedChoice({ chosen, onChoose }: Choosing) {
  const [name, setName] = useState('');
  const [birthDate, setBirthDate] = useState('');
  const [search] = useDebouncedValue({ name: name.trim() || undefined, birthdate: typedBirthDate(birthDate) }, 250);
  const query = useQuery(findPeopleQuery(search));
  const change = (set: (text: string) => void) => (text: string) => {
    set(text);
    onChoose(undefined);
  };
  return (
    <section className="panel">
      <h2>Whose record may it see?</h2>
      <Group align="flex-start" grow>
        <TextInput
          label="Name"
          autoComplete="off"
          value={name}
          onChange={(event) => change(setName)(event.currentTarget.value)}
        />
        <TextInput
          label="Birth date"
          autoComplete="off"
          value={birthDate}
          onChange={(event) => change(setBirthDate)(event.currentTarget.value)}
        />
      </Group>
      {searchParameters(search) && (
        <Loaded query={query} what="people">
          {({ people, more }) => (
            <Radio.Group
              label="One person"
              mt="sm"
              value={chosen ?? null}
              onChange={(id) => onChoose(id)}
              description={more ? 'The first that fit; type more to see others.' : undefined}
            >
              <Stack gap={6} mt={6}>
                {people.length === 0 && <Notice>Nobody found.</Notice>}
                {people.map((patient) => (
                  <Radio key={patient.id} value={patient.id!} label={<Described patient={patient} />} />
                ))}
              </Stack>
            </Radio.Group>
          )}
        </Loaded>
      )}
    </section>
  );
}

/** The name and birth date of the Patient of an id, in one line also while they are fetched or cannot be. */
export function PatientName({ id }: { id: string }) {
  const isRead = readsPatients(useUser()?.role);
  const query = useQuery({
    enabled: isRead,
    queryKey: ['patient', id],
    queryFn: ({ signal }) => getJson<Patient>(`/fhir/Patient/${id}`, signal),
  });
  if (query.data) return <Described patient={query.data} />;
  if (isRead && query.isPending) return <span className="quiet">Loading the name…</span>;
  return (
    <span style={{ overflowWrap: 'anywhere' }}>
      <strong>Patient {id}</strong> {query.isError && <span className="quiet">{query.error.message}</span>}
    </span>
  );
}

function Described({ patient }: { patient: Patient }) {
  return (
    <span>
      <strong>{patientName(patient)}</strong> <span className="quiet">born</span> {birthDateText(patient)},{' '}
      {genderText(patient.gender)}
    </span>
  );
}
