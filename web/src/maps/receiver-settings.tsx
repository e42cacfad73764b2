/** Where an organisation receives, and which messages it wants in which form. An administrator changes it. */
import { Button, Checkbox, Group, NumberInput, Select, SimpleGrid, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Endpoint, Participant } from '../api/contract.ts';
import { getJson, putJson } from '../api/request.ts';
import { Failed } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';

const MESSAGES: Record<string, string> = {
  ADT: 'visits, changes of demographics, merges',
  ORU: 'results and their corrections',
  MDM: 'documents',
  SIU: 'appointments',
  RDE: 'prescriptions',
  VXU: 'immunizations',
  ORM: 'orders, as ORM^O01',
  OMG: 'orders, as OMG^O19',
  OML: 'orders, as OML^O21',
};
const VERSIONS = ['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.1', '2.8.2'];
const WAYS = [
  { value: 'none', label: 'Nothing is sent' },
  { value: 'mllp', label: 'HL7 v2 over MLLP' },
  { value: 'http', label: 'HL7 v2 over HTTP' },
  { value: 'fhir', label: 'FHIR transactions' },
] as const;
type Way = (typeof WAYS)[number]['value'];

export function ReceiverSettings({ participant }: { participant: Participant }) {
  const key = encodeURIComponent(participant.key);
  const query = useQuery({
    queryKey: ['participant', participant.key],
    queryFn: ({ signal }) => getJson<{ endpoint?: Endpoint }>(`/api/participants/${key}`, signal),
  });
  return (
    <section className="panel" aria-labelledby="receiver-title">
      <h2 id="receiver-title">What {participant.name} is sent</h2>
      {query.isError && <Failed what="its endpoint" error={query.error} retry={() => query.refetch()} />}
      {query.data && isOther(query.data.endpoint) && (
        <p className="quiet small">It is told by the route main, below.</p>
      )}
      {query.data && !isOther(query.data.endpoint) && (
        <EndpointForm participantKey={key} endpoint={query.data.endpoint} />
      )}
    </section>
  );
}

function EndpointForm({ participantKey, endpoint }: { participantKey: string; endpoint: Endpoint | undefined }) {
  const client = useQueryClient();
  const isAdministrator = useUser()?.role === 'administrator';
  const [way, setWay] = useState<Way>(wayOf(endpoint));
  const [said, setSaid] = useState<Endpoint>(endpoint ?? {});
  const save = useMutation({
    mutationFn: () => putJson<unknown>(`/api/participants/${participantKey}`, { endpoint: written(way, said) }),
    onSuccess: () => client.invalidateQueries(),
  });
  const change = (part: Partial<Endpoint>) => {
    setSaid({ ...said, ...part });
    save.reset();
  };
  const isV2 = way === 'mllp' || way === 'http';
  return (
    <>
      <fieldset disabled={!isAdministrator} style={{ border: 0, margin: 0, padding: 0 }}>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          <Select
            label="Way"
            allowDeselect={false}
            value={way}
            data={[...WAYS]}
            onChange={(value) => {
              setWay((value ?? 'none') as Way);
              save.reset();
            }}
          />
          {way === 'mllp' && (
            <Group gap="sm" wrap="nowrap" align="flex-start">
              <Text label="Host" value={said.host} onChange={(host) => change({ host })} />
              <NumberInput
                label="Port"
                w={110}
                min={1}
                max={65_535}
                allowDecimal={false}
                hideControls
                value={said.port ?? ''}
                onChange={(port) => change({ port: typeof port === 'number' ? port : undefined })}
              />
            </Group>
          )}
          {(way === 'http' || way === 'fhir') && (
            <Text label="Address" value={said.url} onChange={(url) => change({ url })} />
          )}
          {isV2 && <V2Form said={said} change={change} />}
        </SimpleGrid>
        {isV2 && <Wanted said={said} change={change} />}
      </fieldset>
      <Group mt="xs" gap="sm">
        {isAdministrator && (
          <Button size="compact-sm" loading={save.isPending} onClick={() => save.mutate()}>
            Change what is sent
          </Button>
        )}
        <div role="status" aria-live="polite" className="small">
          {save.isSuccess && 'Changed. It holds for what is stated from now on.'}
          {!isAdministrator && 'An administrator may change this.'}
        </div>
      </Group>
      {save.isError && (
        <div style={{ marginTop: '0.5rem' }}>
          <Notice tone="bad" title="Not changed.">
            {save.error.message}
          </Notice>
        </div>
      )}
    </>
  );
}

interface FormParts {
  said: Endpoint;
  change(part: Partial<Endpoint>): void;
}

function V2Form({ said, change }: FormParts): ReactNode {
  return (
    <>
      <Select
        label="HL7 version"
        allowDeselect={false}
        value={said.version ?? '2.5.1'}
        data={VERSIONS}
        onChange={(version) => change({ version: version ?? undefined })}
      />
      <Select
        label="Acknowledgement"
        allowDeselect={false}
        value={said.acknowledgement ?? 'original'}
        data={[
          { value: 'original', label: 'Original: AA when it is done' },
          { value: 'enhanced', label: 'Enhanced: CA, then AA' },
        ]}
        onChange={(mode) => change({ acknowledgement: mode ?? undefined })}
      />
      <Text
        label="Receiving application (MSH-5)"
        value={said.application}
        onChange={(application) => change({ application })}
      />
      <Text label="Receiving facility (MSH-6)" value={said.facility} onChange={(facility) => change({ facility })} />
    </>
  );
}

/** Which messages of HL7 v2 are wanted. */
export function Wanted({ said, change }: FormParts): ReactNode {
  const { messages } = said;
  return (
    <div style={{ marginTop: '0.6rem' }}>
      <Checkbox
        label="What its kind is sent: results; to a practice also discharge summaries"
        checked={messages === undefined}
        onChange={(event) => change({ messages: event.currentTarget.checked ? undefined : ['ORU'] })}
      />
      {messages !== undefined && (
        <Checkbox.Group
          label="Messages it wants"
          mt="xs"
          value={messages}
          onChange={(chosen) => change({ messages: chosen })}
        >
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="0.3rem" mt={4}>
            {Object.entries(MESSAGES).map(([code, words]) => (
              <Checkbox key={code} value={code} label={`${code}: ${words}`} />
            ))}
          </SimpleGrid>
        </Checkbox.Group>
      )}
    </div>
  );
}

function Text(props: { label: string; value: string | undefined; onChange(value: string | undefined): void }) {
  return (
    <TextInput
      label={props.label}
      style={{ flex: 1 }}
      value={props.value ?? ''}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** Whether the form of routes alone knows such a way. */
function isOther(endpoint: Endpoint | undefined): boolean {
  if (!endpoint) return false;
  const { dialect, host, url } = endpoint;
  return dialect === 'ccda' || 'form' in endpoint || (host === undefined && url === undefined);
}

function wayOf(endpoint: Endpoint | undefined): Way {
  if (!endpoint) return 'none';
  if (endpoint.dialect === 'fhir') return 'fhir';
  return endpoint.url === undefined ? 'mllp' : 'http';
}

/** The endpoint as the hub takes it: what belongs to another way is left out. */
function written(way: Way, said: Endpoint): Endpoint | null {
  const { host, port, tls, url, authorization, messages, version, application, facility, acknowledgement } = said;
  const v2 = { dialect: 'hl7v2', messages, version, application, facility, acknowledgement };
  if (way === 'mllp') return { ...v2, host, port, tls };
  if (way === 'http') return { ...v2, url, authorization };
  return way === 'fhir' ? { dialect: 'fhir', url } : null;
}
