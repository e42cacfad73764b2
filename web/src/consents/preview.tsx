/** What an organisation is given of a person's record: `12 of 15 results`, as things are decided now or would be. */
import { NativeSelect, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ConsentChoice, ConsentPreview, GivenConsents } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { TYPE_WORDS } from './type-words.ts';

/** @param choice what would hold alone; undefined for what holds now */
export function Preview({
  patient,
  organizations,
  choice,
}: { patient: string; choice?: ConsentChoice } & Pick<GivenConsents, 'organizations'>) {
  const [chosen, setChosen] = useState('');
  const name = organizations.find(({ key }) => key === chosen)?.name;
  return (
    <section className={choice ? undefined : 'panel'} aria-label="What an organisation sees">
      {!choice && <h2>What an organisation sees now</h2>}
      <NativeSelect
        label={choice ? 'See what an organisation would be given' : 'Organisation'}
        maw={360}
        value={chosen}
        onChange={(event) => setChosen(event.currentTarget.value)}
        data={[
          { value: '', label: 'Choose one' },
          ...organizations.map(({ key, name: label }) => ({ value: key, label })),
        ]}
      />
      {name && <Counts patient={patient} organization={chosen} name={name} choice={choice} />}
    </section>
  );
}

function Counts({
  patient,
  organization,
  name,
  choice,
}: {
  patient: string;
  organization: string;
  name: string;
  choice: ConsentChoice | undefined;
}) {
  const path = `/api/patients/${encodeURIComponent(patient)}/consent-preview`;
  const query = useQuery({
    queryKey: ['consent-preview', patient, organization, choice ?? 'now'],
    queryFn: ({ signal }) =>
      choice
        ? postJson<ConsentPreview>(path, { organization, choice })
        : getJson<ConsentPreview>(`${path}?organization=${encodeURIComponent(organization)}`, signal),
    staleTime: 0,
  });
  return (
    <Loaded query={query} what="what it sees">
      {({ types }) => {
        const clinical = types.filter(({ type }) => type in TYPE_WORDS);
        const others = types.filter(({ type }) => !(type in TYPE_WORDS) && type !== 'Patient');
        const sum = (of: 'all' | 'visible') => others.reduce((total, each) => total + each[of], 0);
        return (
          <div role="status" aria-live="polite">
            <Text mt="xs">
              {name} {choice ? 'would see' : 'sees'}, for treatment:
            </Text>
            <ul style={{ margin: '0.3rem 0', paddingLeft: '1.1rem' }}>
              {clinical.map(({ type, all, visible }) => (
                <li key={type}>
                  {visible} of {all} {TYPE_WORDS[type]}
                </li>
              ))}
              {others.length > 0 && (
                <li className="quiet">
                  {sum('visible')} of {sum('all')} other entries
                </li>
              )}
            </ul>
          </div>
        );
      }}
    </Loaded>
  );
}
