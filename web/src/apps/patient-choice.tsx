/** Choosing the one person whose record an app may see. */
import { Group, Radio, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { Patient } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { getJson } from '../api/request.ts';
import { birthDateText, genderText, patientName } from '../fhir/people.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { findPeopleQuery, searchParameters, typedBirthDate } from '../people/find-people.ts';

export function PatientChoice({
  chosen,
  onChoose,
}: {
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}) {
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

/** The name and birth date of the Patient of an id. */
export function PatientName({ id }: { id: string }) {
  const query = useQuery({
    queryKey: ['patient', id],
    queryFn: ({ signal }) => getJson<Patient>(`/fhir/Patient/${id}`, signal),
  });
  return (
    <Loaded query={query} what="the person">
      {(patient) => <Described patient={patient} />}
    </Loaded>
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
