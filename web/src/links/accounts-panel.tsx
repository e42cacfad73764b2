/** Accounts of the person itself and of those who act for it: which there are, binding one, inviting, ending. */
import { Button, Group, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Binding, PersonMember } from '../api/contract.ts';
import { deleteJson, getJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { RELATION_WORDS } from '../mine/mine-page.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { organisationName } from '../parts/organisation.ts';
import { BindForm, InviteForm } from './account-forms.tsx';

export const accountsKey = ['accounts-of'];

const PROOF_WORDS: Record<Binding['proofing'], string> = {
  'in-person': 'proved in person',
  invitation: 'proved by an invitation',
  external: 'proved elsewhere',
};

export function AccountsPanel({ members }: { members: PersonMember[] }) {
  const [asking, setAsking] = useState<'bind' | 'invite'>();
  const patients = members.map(({ patient }) => patient);
  const query = useQuery({
    queryKey: [...accountsKey, ...patients],
    queryFn: async ({ signal }) => {
      const of = (patient: string) =>
        getJson<{ bindings: Binding[] }>(`/api/patients/${encodeURIComponent(patient)}/bindings`, signal);
      return (await Promise.all(patients.map(of))).flatMap(({ bindings }) => bindings);
    },
  });
  const done = () => setAsking(undefined);
  return (
    <section className="panel" aria-labelledby="accounts-title">
      <h2 id="accounts-title">Accounts that see this person’s record</h2>
      <Loaded query={query} what="the accounts">
        {(bindings) =>
          bindings.length === 0 ? (
            <Text size="sm" className="quiet">
              Neither the person nor anybody who acts for it has an account.
            </Text>
          ) : (
            <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {bindings.map((binding) => (
                <Bound key={binding.id} binding={binding} members={members} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {asking === undefined && (
        <Group gap="xs" mt="sm">
          <Button size="compact-sm" variant="default" onClick={() => setAsking('bind')}>
            Bind an account
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setAsking('invite')}>
            Invite
          </Button>
        </Group>
      )}
      {asking === 'bind' && <BindForm members={members} onDone={done} />}
      {asking === 'invite' && <InviteForm members={members} onDone={done} />}
    </section>
  );
}

function Bound({ binding, members }: { binding: Binding; members: PersonMember[] }) {
  const { id, username, patient, relation, proofing, evidence, boundBy, since, until } = binding;
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => deleteJson<void>(`/api/bindings/${id}`),
    onSettled: () => client.invalidateQueries({ queryKey: accountsKey }),
  });
  const member = members.find((one) => one.patient === patient);
  return (
    <li style={{ borderTop: '1px solid var(--line)', padding: '0.5rem 0' }}>
      <Group justify="space-between" align="flex-start">
        <div style={{ minWidth: 0, flex: '1 1 12rem', overflowWrap: 'anywhere' }}>
          <strong>{username}</strong> · {RELATION_WORDS[relation]}
          {member && ` · by the record of ${organisationName(member)}`}
          <Text size="sm" className="quiet">
            Since {formatDate(since)}
            {until && `, until ${formatDate(until)}`}; {PROOF_WORDS[proofing]}, by {boundBy}: {evidence}
          </Text>
        </div>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => end.mutate()}
          loading={end.isPending}
          aria-label={`End the binding of ${username}`}
        >
          End
        </Button>
      </Group>
      {end.isError && (
        <Notice tone="bad" title="Not ended.">
          {end.error.message}
        </Notice>
      )}
    </li>
  );
}
