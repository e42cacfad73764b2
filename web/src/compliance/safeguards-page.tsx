/** For privacy officers: the safeguards of the HIPAA Security Rule as the hub finds them now, and those somebody vouches for. */
import { Button, Group, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Safeguard } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { formatDate, formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { decidesCompliance, useUser } from '../session/session.ts';
import { ATTESTED, GROUPS, SAFEGUARD_STATES, today } from './compliance-words.ts';

const queryKey = ['safeguards'];

export function SafeguardsPage() {
  useTitle('Safeguards');
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => getJson<{ at: string; safeguards: Safeguard[] }>('/api/safeguards', signal),
  });
  return (
    <Stack gap="md" maw={960}>
      <Title order={1}>Safeguards</Title>
      <Text>
        The standards of the HIPAA Security Rule (45 CFR 164.308 to 164.312). What a program can look at, the hub looks
        at when this page is opened; nobody’s word makes good what it finds bad. For the rest somebody vouches, until a
        day.
      </Text>
      <Loaded query={query} what="the safeguards">
        {({ at, safeguards }) => (
          <>
            <Summary at={at} safeguards={safeguards} />
            {(Object.keys(GROUPS) as Safeguard['group'][]).map((group) => (
              <section key={group} className="panel" aria-labelledby={`group-${group}`}>
                <h2 id={`group-${group}`}>{GROUPS[group]}</h2>
                <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
                  {safeguards
                    .filter((one) => one.group === group)
                    .map((one) => (
                      <Row key={one.id} safeguard={one} />
                    ))}
                </ul>
              </section>
            ))}
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Summary({ at, safeguards }: { at: string; safeguards: Safeguard[] }) {
  return (
    <Group gap="sm" aria-label="How many">
      {(Object.keys(SAFEGUARD_STATES) as Safeguard['state'][]).map((state) => {
        const count = safeguards.filter((one) => one.state === state).length;
        const { label, tone } = SAFEGUARD_STATES[state];
        return count === 0 ? null : (
          <Mark key={state} tone={tone}>
            {label}: {count}
          </Mark>
        );
      })}
      <span className="quiet small">Looked at {formatDateTime(at)}.</span>
    </Group>
  );
}

function Row({ safeguard }: { safeguard: Safeguard }) {
  const { id, name, isRequired, state, checks, attestation } = safeguard;
  const [open, setOpen] = useState(false);
  const decides = decidesCompliance(useUser()?.role);
  const { label, tone } = SAFEGUARD_STATES[state];
  return (
    <li style={{ padding: '0.5rem 0', borderTop: '1px solid var(--line)' }}>
      <Group gap="sm" align="baseline">
        <strong>{name}</strong>
        <span className="quiet small">
          {id}, {isRequired ? 'required' : 'addressable'}
        </span>
        <Mark tone={tone}>{label}</Mark>
        {!open && decides && (
          <Button variant="default" size="compact-sm" ml="auto" onClick={() => setOpen(true)}>
            Vouch for it
          </Button>
        )}
      </Group>
      {checks.map((check) => (
        <Text key={check.name} size="sm">
          {check.says}
        </Text>
      ))}
      {attestation && (
        <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
          {ATTESTED[attestation.state] ?? attestation.state}, says {attestation.by}, {formatDateTime(attestation.at)},
          until {formatDate(attestation.until)}: {attestation.note}
        </Text>
      )}
      {open && <Attest id={id} done={() => setOpen(false)} />}
    </li>
  );
}

function Attest({ id, done }: { id: string; done(): void }) {
  const client = useQueryClient();
  const [state, setState] = useState<string | null>('in-place');
  const [until, setUntil] = useState(inAYear());
  const [note, setNote] = useState('');
  const attest = useMutation({
    mutationFn: () => postJson<void>(`/api/safeguards/${encodeURIComponent(id)}`, { state, until, note: note.trim() }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey });
      done();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!attest.isPending) attest.mutate();
      }}
    >
      <Group align="flex-end" mt="xs">
        <Select
          label="How it stands"
          data={Object.entries(ATTESTED).map(([value, label]) => ({ value, label }))}
          value={state}
          onChange={setState}
          allowDeselect={false}
        />
        <TextInput
          type="date"
          label="To be looked at again after"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
        <TextInput
          label="How you know"
          maxLength={2000}
          style={{ flexGrow: 1 }}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Button type="submit" size="compact-sm" disabled={note.trim() === ''} loading={attest.isPending}>
          Vouch
        </Button>
        <Button variant="default" size="compact-sm" onClick={done}>
          Cancel
        </Button>
      </Group>
      {attest.isError && (
        <Notice tone="bad" title="Not noted.">
          {attest.error.message}
        </Notice>
      )}
    </form>
  );
}

function inAYear(): string {
  const at = new Date(`${today()}T00:00:00Z`);
  at.setUTCFullYear(at.getUTCFullYear() + 1);
  return at.toISOString().slice(0, 10);
}
