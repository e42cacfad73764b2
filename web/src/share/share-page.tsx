/** Sharing a record by links: those there are, who opened them, and making another. */
import { Group, Stack, Text, Title } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { HealthLink } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { Loaded } from '../parts/loading.tsx';
import { useTitle } from '../parts/title.ts';
import { MadeLinks } from './made-links.tsx';
import { NewLinkForm } from './new-link-form.tsx';

const route = getRouteApi('/signed-in/share/$patient');

export function linksQuery(patient: string) {
  return queryOptions({
    queryKey: ['health-links', patient],
    queryFn: async ({ signal }) => {
      const path = `/api/patients/${encodeURIComponent(patient)}/health-links`;
      return (await getJson<{ links: HealthLink[] }>(path, signal)).links;
    },
  });
}

export function SharePage() {
  const { patient } = route.useParams();
  useTitle('Share by a link');
  const query = useQuery(linksQuery(patient));
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>Share by a link</Title>
      <Group gap="md">
        <PatientName id={patient} />
        <Link to="/people/$id" params={{ id: patient }}>
          Back to the record
        </Link>
      </Group>
      <Text>
        Whoever has the link can read what you put into it, wherever they are. It is encrypted in this browser: this hub
        keeps it, and cannot read it.
      </Text>
      <NewLinkForm patient={patient} />
      <Loaded query={query} what="your links">
        {(links) => <MadeLinks patient={patient} links={links} />}
      </Loaded>
    </Stack>
  );
}
