/** Binding an account with what was seen, and making an invitation, whose code is shown once. */
import { Button, CopyButton, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Binding, PersonMember, Relation } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { RELATION_WORDS } from '../mine/mine-page.tsx';
import { Notice } from '../parts/notice.tsx';
import { organisationName } from '../parts/organisation.ts';
import { accountsKey } from './accounts-panel.tsx';

interface FormProps {
  members: PersonMember[];
  onDone: () => void;
}

export function BindForm({ members, onDone }: FormProps) {
  const client = useQueryClient();
  const target = useTarget(members);
  const [username, setUsername] = useState('');
  const [evidence, setEvidence] = useState('');
  const [until, setUntil] = useState('');
  const bind = useMutation({
    mutationFn: () =>
      postJson<Binding>(`/api/patients/${encodeURIComponent(target.patient)}/bindings`, {
        username: username.trim(),
        relation: target.relation,
        evidence: evidence.trim(),
        ...(until ? { until } : {}),
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: accountsKey });
      onDone();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!bind.isPending) bind.mutate();
      }}
    >
      <Stack gap="sm" mt="sm">
        <TextInput
          label="User name"
          description="Of an account that is there"
          required
          autoComplete="off"
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        {target.fields}
        <Textarea
          label="What you saw that proves it"
          description="Such as a passport, or a court’s order"
          required
          autosize
          maxLength={1000}
          value={evidence}
          onChange={(event) => setEvidence(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label="Ends on"
          description="Empty: no end is set"
          maw={220}
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
        {bind.isError && (
          <Notice tone="bad" title="Not bound.">
            {bind.error.message}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" disabled={!username.trim() || !evidence.trim()} loading={bind.isPending}>
            Bind
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function InviteForm({ members, onDone }: FormProps) {
  const target = useTarget(members);
  const invite = useMutation({
    mutationFn: () =>
      postJson<{ code: string }>(`/api/patients/${encodeURIComponent(target.patient)}/invitations`, {
        relation: target.relation,
      }),
  });
  if (invite.isSuccess) return <Invitation code={invite.data.code} onDone={onDone} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!invite.isPending) invite.mutate();
      }}
    >
      <Stack gap="sm" mt="sm">
        {target.fields}
        <Text size="sm" className="quiet">
          Whoever has the code, and knows the person’s date of birth and a number of that record, makes an account with
          it within two weeks.
        </Text>
        {invite.isError && (
          <Notice tone="bad" title="No invitation was made.">
            {invite.error.message}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" loading={invite.isPending}>
            Make an invitation
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Invitation({ code, onDone }: { code: string; onDone: () => void }) {
  const address = `${window.location.origin}/register?code=${code}`;
  return (
    <Stack gap="xs" mt="sm">
      <Notice tone="good" title="Give this to the person now; it is not shown again.">
        <div style={{ overflowWrap: 'anywhere' }}>
          Code <code>{code}</code>
        </div>
        <div style={{ overflowWrap: 'anywhere' }}>{address}</div>
      </Notice>
      <Group gap="xs">
        <CopyButton value={address}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy the address'}
            </Button>
          )}
        </CopyButton>
        <Button size="compact-sm" onClick={onDone}>
          Done
        </Button>
      </Group>
    </Stack>
  );
}

/** Whose record, by which organisation's telling, and what the account is to the person. */
function useTarget(members: PersonMember[]): { patient: string; relation: Relation; fields: ReactNode } {
  const [patient, setPatient] = useState(members[0]!.patient);
  const [relation, setRelation] = useState<Relation>('self');
  const fields = (
    <Group grow preventGrowOverflow={false} align="flex-start">
      <NativeSelect
        label="By the record of"
        description="Other records show once they are confirmed to be the same person"
        value={patient}
        onChange={(event) => setPatient(event.currentTarget.value)}
        data={members.map((member) => ({ value: member.patient, label: organisationName(member) }))}
      />
      <NativeSelect
        label="The account is of"
        value={relation}
        onChange={(event) => setRelation(event.currentTarget.value as Relation)}
        data={Object.entries(RELATION_WORDS).map(([value, label]) => ({ value, label }))}
      />
    </Group>
  );
  return { patient, relation, fields };
}
