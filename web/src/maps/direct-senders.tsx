/** Whose Direct mail the hub takes as an organisation's, and by which certificates. An administrator changes it. */
import { Button, Group, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Participant, Transport } from '../api/contract.ts';
import { getJson, putJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';

export function DirectSenders({ participant }: { participant: Participant }) {
  const key = encodeURIComponent(participant.key);
  const query = useQuery({
    queryKey: ['participant', participant.key],
    queryFn: ({ signal }) => getJson<{ transport?: Transport }>(`/api/participants/${key}`, signal),
  });
  return (
    <section className="panel" aria-labelledby="direct-title">
      <h2 id="direct-title">Direct mail from {participant.name}</h2>
      <Loaded query={query} what="its Direct addresses">
        {({ transport = {} }) => <SendersForm participantKey={key} transport={transport} />}
      </Loaded>
    </section>
  );
}

function SendersForm({ participantKey, transport }: { participantKey: string; transport: Transport }) {
  const client = useQueryClient();
  const isAdministrator = useUser()?.role === 'administrator';
  const [senders, setSenders] = useState(transport.direct?.senders.join('\n') ?? '');
  const [trust, setTrust] = useState(transport.direct?.trust ?? '');
  const save = useMutation({
    mutationFn: (said: Transport) => putJson<unknown>(`/api/participants/${participantKey}`, { transport: said }),
    onSuccess: () => client.invalidateQueries(),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { direct: _, ...others } = transport;
    const stated = senders.split(/[\s,;]+/).filter(Boolean);
    const isNone = stated.length === 0 && trust.trim() === '';
    save.mutate(isNone ? others : { ...others, direct: { senders: stated, trust: trust.trim() } });
  };
  return (
    <form aria-labelledby="direct-title" onSubmit={submit}>
      <p className="small quiet" style={{ marginTop: 0 }}>
        Beside that of the addresses to which it is sent Direct mail. Left empty: of nobody else.
      </p>
      <Textarea
        label="Addresses, or domains for all addresses in them"
        description="One a line"
        autosize
        minRows={2}
        maxRows={8}
        spellCheck={false}
        disabled={!isAdministrator}
        value={senders}
        onChange={(event) => setSenders(event.currentTarget.value)}
      />
      <TextInput
        mt="sm"
        label="File of the certificates by which they sign, or of who issues these"
        description="PEM, absolute path on the hub"
        disabled={!isAdministrator}
        value={trust}
        onChange={(event) => setTrust(event.currentTarget.value)}
      />
      {isAdministrator && (
        <Group mt="sm" gap="sm">
          <Button type="submit" size="compact-sm" loading={save.isPending}>
            Take mail from these
          </Button>
          <div role="status" aria-live="polite" className="small">
            {save.isSuccess && 'Saved.'}
          </div>
        </Group>
      )}
      {save.isError && (
        <div style={{ marginTop: '0.5rem' }}>
          <Notice tone="bad" title="Not saved.">
            {save.error.message}
          </Notice>
        </div>
      )}
    </form>
  );
}
