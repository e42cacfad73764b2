/** For an organisation that was invited onto the network: its certificate, and the agreement that it signs, by the token of its link. */
import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Onboarding, WrittenAgreement } from '../api/contract.ts';
import { askInvited } from '../api/request.ts';
import { AgreementView } from '../participants/agreement-view.tsx';
import { CertificateForm } from '../participants/certificate-form.tsx';
import { STATE_WORDS } from '../participants/state-words.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { Logo } from '../shell/logo.tsx';

export function JoinPage() {
  useTitle('Join the network');
  // Behind the # the token is sent to no server but in a header of its own.
  const [token] = useState(() => window.location.hash.slice(1));
  const query = useQuery({
    queryKey: ['onboarding', token],
    queryFn: () => askInvited<Onboarding>(token, 'GET', '/api/onboarding'),
    enabled: token !== '',
    retry: false,
  });
  return (
    <main className="page" style={{ maxWidth: 760, paddingTop: '5vh' }}>
      <Stack gap="md">
        <Logo size={40} />
        <Title order={1}>Join the network</Title>
        {token === '' ? (
          <Notice tone="warn">Open this page by the link that you were given.</Notice>
        ) : (
          <Loaded query={query} what="the invitation">
            {(invited) => <Steps token={token} invited={invited} refresh={() => query.refetch()} />}
          </Loaded>
        )}
      </Stack>
    </main>
  );
}

function Steps({ token, invited, refresh }: { token: string; invited: Onboarding; refresh: () => Promise<unknown> }) {
  const { name, state, certificates, agreement } = invited;
  return (
    <>
      <Text>
        <strong>{name}</strong> <Mark tone={STATE_WORDS[state].tone}>{STATE_WORDS[state].label}</Mark>
      </Text>
      <section className="panel" aria-labelledby="join-certificate">
        <h2 id="join-certificate">1. Your certificate</h2>
        {certificates.length > 0 && (
          <Notice tone="good" title="A certificate stands for you.">
            You may add another, before it ends.
          </Notice>
        )}
        <CertificateForm
          add={async (certificate) => {
            await askInvited(token, 'POST', '/api/onboarding/certificate', { certificate });
            await refresh();
          }}
        />
      </section>
      <section className="panel" aria-labelledby="join-test">
        <h2 id="join-test">2. A test message</h2>
        <Text>
          Send an HL7 v2 message with T or D in MSH-11, with your certificate. It is answered, and nothing of it comes
          into the record.
        </Text>
      </section>
      <section className="panel" aria-labelledby="join-agreement">
        <h2 id="join-agreement">3. The agreement</h2>
        {agreement ? (
          <>
            <AgreementView agreement={agreement} />
            {!agreement.participantSigned && <Signature token={token} agreement={agreement} refresh={refresh} />}
          </>
        ) : (
          <Text className="quiet">It is not written yet. Come back by the same link.</Text>
        )}
      </section>
    </>
  );
}

function Signature({
  token,
  agreement,
  refresh,
}: {
  token: string;
  agreement: WrittenAgreement;
  refresh: () => Promise<unknown>;
}) {
  const [name, setName] = useState('');
  const [office, setOffice] = useState('');
  const sign = useMutation({
    mutationFn: () =>
      askInvited(token, 'POST', '/api/onboarding/signature', {
        hash: agreement.hash,
        name: name.trim(),
        office: office.trim(),
      }),
    onSuccess: refresh,
  });
  // Where the network had signed before, the link is used up with this signature.
  if (sign.isSuccess) return <Notice tone="good" title="You have signed for the organisation." />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!sign.isPending) sign.mutate();
      }}
    >
      <Stack gap="xs" mt="md">
        <TextInput label="Your name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput
          label="In what office you sign"
          required
          value={office}
          onChange={(event) => setOffice(event.currentTarget.value)}
        />
        {sign.isError && (
          <Notice tone="bad" title="Not signed.">
            {sign.error.message}
          </Notice>
        )}
        <Group>
          <Button type="submit" disabled={name.trim() === '' || office.trim() === ''} loading={sign.isPending}>
            Sign for the organisation
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
