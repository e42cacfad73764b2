/** Making a connector: of whom and of what kind, what it is told, trying it, its columns, and saving it. */
import { Button, Group, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ColumnMap, ConnectorKind, ConnectorPreview, Participant } from '../api/contract.ts';
import { getJson, postJson, putJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { hasRows, presetsOf, statedOf } from './connector-fields.ts';
import { ConnectorInputs } from './connector-inputs.tsx';
import { KIND_WORDS } from './connector-words.ts';
import { MapEditor } from './map-editor.tsx';
import { PreviewView } from './preview-view.tsx';

export function NewConnectorPage() {
  useTitle('New connector');
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [key, setKey] = useState('');
  const [participant, setParticipant] = useState<string | null>(null);
  const [kind, setKind] = useState<ConnectorKind>('fhir');
  const [values, setValues] = useState(presetsOf('fhir'));
  const [map, setMap] = useState<ColumnMap>();
  const participants = useQuery({
    queryKey: ['participants'],
    queryFn: ({ signal }) => getJson<{ participants: Participant[] }>('/api/participants', signal),
  });
  const stated = { participant, kind, ...statedOf(kind, values), ...(map && hasRows(kind, values) && { map }) };
  const preview = useMutation({ mutationFn: () => postJson<ConnectorPreview>('/api/connectors/preview', stated) });
  const save = useMutation({
    mutationFn: () => putJson(`/api/connectors/${encodeURIComponent(key)}`, stated),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['connectors'] });
      await navigate({ to: '/connectors/$key', params: { key } });
    },
  });
  const rows = preview.data?.rows ?? [];
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return (
    <Stack gap="md" maw={900}>
      <Link to="/connectors">All connectors</Link>
      <Title order={1}>New connector</Title>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          preview.mutate();
        }}
      >
        <Stack gap="sm" className="panel">
          <TextInput
            label="Key"
            description="Lower-case letters, digits and dashes; stays as it is"
            required
            pattern="[a-z0-9][a-z0-9\-]*"
            maxLength={60}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
          <Select
            label="Whose it is"
            description="What is taken counts as sent by this organisation"
            required
            data={(participants.data?.participants ?? []).map(({ key: value, name }) => ({ value, label: name }))}
            value={participant}
            onChange={setParticipant}
          />
          <Select
            label="Kind"
            data={Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }))}
            value={kind}
            allowDeselect={false}
            onChange={(next) => {
              const chosen = (next ?? 'fhir') as ConnectorKind;
              setKind(chosen);
              setValues(presetsOf(chosen));
              preview.reset();
            }}
          />
          <ConnectorInputs kind={kind} values={values} onChange={setValues} />
          {preview.isError && (
            <Notice tone="bad" title="It could not be tried.">
              {preview.error.message}
            </Notice>
          )}
          <Group>
            <Button type="submit" variant="default" loading={preview.isPending}>
              Try it
            </Button>
            <Text size="sm" className="quiet">
              Looks at a sample, and takes nothing.
            </Text>
          </Group>
        </Stack>
      </form>
      {columns.length > 0 && (
        <section className="panel">
          <h2>What the columns are</h2>
          <MapEditor columns={columns} rows={rows} map={map} onChange={setMap} />
          <Button mt="sm" variant="default" loading={preview.isPending} onClick={() => preview.mutate()}>
            Try it by this map
          </Button>
        </section>
      )}
      {preview.data && (
        <section>
          <h2>What would come of it</h2>
          <PreviewView preview={preview.data} />
        </section>
      )}
      {save.isError && (
        <Notice tone="bad" title="Not saved.">
          {save.error.message}
        </Notice>
      )}
      <Group>
        <Button disabled={!key || !participant} loading={save.isPending} onClick={() => save.mutate()}>
          Save, and begin to take
        </Button>
      </Group>
    </Stack>
  );
}
