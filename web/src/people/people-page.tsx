/** Find a person by name, birth date or identifier; arrow keys move through what was found, Enter opens the chart. */
import { Group, Stack, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { EmergencyBar } from '../emergency/emergency-bar.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import {
  type FoundPeople,
  findPeopleQuery,
  type PersonSearch,
  searchParameters,
  typedBirthDate,
} from './find-people.ts';
import { FoundPerson } from './found-person.tsx';

const route = getRouteApi('/signed-in/people');

export function PeoplePage() {
  useTitle('Find a person');
  const search = route.useSearch();
  const navigate = useNavigate();
  const [name, setName] = useState(search.name ?? '');
  const [birthDate, setBirthDate] = useState(search.birthdate ?? '');
  const [identifier, setIdentifier] = useState(search.identifier ?? '');
  const birthdate = typedBirthDate(birthDate);
  const wrongDate = birthDate.trim().length >= 4 && birthdate === undefined;
  const [asked] = useDebouncedValue({ name, birthdate, identifier }, 250);
  const list = useRef<HTMLUListElement>(null);

  useEffect(() => {
    const next: PersonSearch = {
      name: asked.name.trim() || undefined,
      birthdate: asked.birthdate,
      identifier: asked.identifier.trim() || undefined,
    };
    navigate({ to: '/people', search: next, replace: true });
  }, [asked.name, asked.birthdate, asked.identifier, navigate]);

  const intoList = (event: KeyboardEvent) => {
    const first = list.current?.querySelector<HTMLElement>('a');
    if (event.key === 'ArrowDown') {
      first?.focus();
      event.preventDefault();
    } else if (event.key === 'Enter') first?.click();
  };
  return (
    <Stack gap="md">
      <Title order={1}>Find a person</Title>
      <EmergencyBar />
      <search className="panel">
        <Group align="flex-start" grow preventGrowOverflow={false} onKeyDown={intoList}>
          <TextInput
            label="Name"
            description="Any part, in any order"
            autoFocus
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label="Birth date"
            description="1962, 1962-04-09, 04/09/1962 or 9 Apr 1962"
            autoComplete="off"
            value={birthDate}
            error={wrongDate ? 'Not a date yet: write it as 1962-04-09' : undefined}
            onChange={(event) => setBirthDate(event.currentTarget.value)}
          />
          <TextInput
            label="Identifier"
            description="Record number at any organisation"
            autoComplete="off"
            value={identifier}
            onChange={(event) => setIdentifier(event.currentTarget.value)}
          />
        </Group>
      </search>
      <Results search={search} list={list} />
    </Stack>
  );
}

function Results({ search, list }: { search: PersonSearch; list: React.RefObject<HTMLUListElement | null> }) {
  const query = useQuery(findPeopleQuery(search));
  if (!searchParameters(search)) {
    return <Notice>Type a name, a birth date or a record number to begin.</Notice>;
  }
  return (
    <Loaded query={query} what="people">
      {(found) => (
        <>
          <p role="status" aria-live="polite" style={{ margin: 0 }}>
            {summary(found)}
          </p>
          {found.people.length === 0 && <Advice search={search} />}
          {found.people.length > 0 && (
            <ul ref={list} onKeyDown={moveFocus} style={{ listStyle: 'none', margin: 0, padding: 0 }} className="panel">
              {found.people.map((patient) => (
                <FoundPerson key={patient.id} patient={patient} />
              ))}
            </ul>
          )}
        </>
      )}
    </Loaded>
  );
}

/** What to try next, from what was asked. */
function Advice({ search }: { search: PersonSearch }) {
  const words = (search.name ?? '').split(/\s+/).filter(Boolean).length;
  const asked = [search.name, search.birthdate, search.identifier].filter(Boolean).length;
  const advice = [
    asked > 1 && 'All fields must fit at once: leave one of them empty.',
    words > 1 && 'All parts of the name must fit: try the family name alone, or a maiden name.',
    words > 0 && 'The beginning of a name is enough: where the spelling is uncertain, type less of it.',
    search.birthdate && search.birthdate.length > 4 && 'A birth date may be recorded wrongly: try the year alone.',
    search.identifier && 'Record numbers are looked for whole, exactly as the organisation writes them.',
  ].filter((each) => typeof each === 'string');
  return (
    <Notice title="What else to try:">
      <ul style={{ margin: '0.2rem 0 0', paddingLeft: '1.1rem' }}>
        {advice.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </Notice>
  );
}

function summary({ people, more, total }: FoundPeople): string {
  if (people.length === 0) return 'Nobody found.';
  if (more)
    return `The first ${people.length}${total ? ` of ${total}` : ''}. Add a birth date or more of the name to narrow it down.`;
  return people.length === 1 ? 'One person found.' : `${people.length} people found.`;
}

function moveFocus(event: KeyboardEvent<HTMLUListElement>) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('a[data-person]')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  event.preventDefault();
}
