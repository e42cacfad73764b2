/** One resource of the record as it is stored: its JSON, where it came from and whose it is. */
import { Group, Stack, Title } from '@mantine/core';
import type { Reference, Resource } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { getText } from '../api/request.ts';
import { WhySeen } from '../explanations/resource-explanation.tsx';
import { formatDateTime } from '../fhir/dates.ts';
import { isWithdrawn, sourceOf } from '../fhir/source.ts';
import { OriginalView } from '../messages/original-view.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { ResourceLink } from '../parts/resource-link.tsx';
import { SourceChip } from '../parts/source-chip.tsx';
import { useTitle } from '../parts/title.ts';
import { readsMessages, useUser } from '../session/session.ts';

const route = getRouteApi('/signed-in/resources/$type/$id');

export function ResourcePage() {
  useTitle('Resource');
  const { type, id } = route.useParams();
  const { version, path } = route.useSearch();
  const address = `/fhir/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
  const query = useQuery({
    queryKey: ['resource', type, id, version ?? ''],
    queryFn: async ({ signal }) => {
      const url = version ? `${address}/_history/${encodeURIComponent(version)}` : address;
      const text = await getText(url, 'application/fhir+json', signal);
      return { text, resource: JSON.parse(text) as Resource };
    },
  });
  return (
    <Loaded query={query} what="the resource">
      {({ text, resource }) => (
        <Stack gap="sm">
          <Heading resource={resource} version={version} />
          {isWithdrawn(resource) && (
            <Notice tone="bad" title="Withdrawn by its source.">
              It is entered in error and no part of the record.
            </Notice>
          )}
          {personOf(resource) && !version && <WhySeen patient={personOf(resource)!} reference={`${type}/${id}`} />}
          <section className="panel" aria-labelledby="json-title">
            <h2 id="json-title">As stored</h2>
            <OriginalView original={text} dialect="fhir" highlighted={path && `${type}.${path}`} />
          </section>
        </Stack>
      )}
    </Loaded>
  );
}

function Heading({ resource, version }: { resource: Resource; version: string | undefined }) {
  const { resourceType, id = '', meta } = resource;
  const person = personOf(resource);
  const role = useUser()?.role;
  const message = readsMessages(role) ? sourceOf(resource).message : undefined;
  return (
    <section className="panel" aria-label="Resource">
      <Group align="baseline" gap="md">
        <Title order={1}>{resourceType.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')}</Title>
        <span className="small quiet" style={{ overflowWrap: 'anywhere' }}>
          {id}
        </span>
        <Group ml="auto" gap="md">
          {person && (
            <Link to="/people/$id" params={{ id: person }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Open the chart
            </Link>
          )}
          {message && (
            <Link to="/messages/$id" params={{ id: message }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Open the original message
            </Link>
          )}
        </Group>
      </Group>
      <p className="small" style={{ margin: '0.3rem 0 0' }}>
        <span className="quiet">From</span> <SourceChip resource={resource} /> <span className="quiet">version</span>{' '}
        {meta?.versionId ?? 'not stated'} <span className="quiet">stored</span>{' '}
        {formatDateTime(meta?.lastUpdated) || 'not stated'}
        {version && (
          <>
            {' '}
            <ResourceLink reference={`${resourceType}/${id}`}>Show the newest version</ResourceLink>
          </>
        )}
      </p>
    </section>
  );
}

/** The id of the patient a resource is about; its own when it is the Patient. */
function personOf(resource: Resource): string | undefined {
  if (resource.resourceType === 'Patient') return resource.id;
  const { subject, patient, beneficiary } = resource as Partial<
    Record<'subject' | 'patient' | 'beneficiary', Reference>
  >;
  const reference = [subject, patient, beneficiary].map((each) => each?.reference).find(Boolean);
  return /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(reference ?? '')?.[1];
}
