/** One organisation on its way onto the network: its link, certificates, agreements, and the steps that somebody decides. */
import { Button, Group, Stack, Text, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ParticipantState, StandingDetails } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { useUser } from '../session/session.ts';
import { AgreementForm } from './agreement-form.tsx';
import { AgreementView } from './agreement-view.tsx';
import { CertificateForm } from './certificate-form.tsx';
import { PeerPanel } from './peer-form.tsx';
import { DECISIONS, NEXT_WORDS, STATE_WORDS } from './state-words.ts';

const route = getRouteApi('/signed-in/participants/$key');

export function ParticipantPage() {
  useTitle('Organisation');
  const { key } = route.useParams();
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ['standings', key],
    queryFn: ({ signal }) => getJson<StandingDetails>(`/api/participants/${key}/standing`, signal),
  });
  const refresh = () => client.invalidateQueries({ queryKey: ['standings'] });
  return (
    <Stack gap="md" maw={900}>
      <Link to="/participants">All organisations</Link>
      <Loaded query={query} what="the organisation">
        {(standing) => <Details standing={standing} refresh={refresh} />}
      </Loaded>
    </Stack>
  );
}

interface Shown {
  standing: StandingDetails;
  refresh: () => Promise<void>;
}

function Details({ standing, refresh }: Shown) {
  const role = useUser()?.role;
  const { name, kind, state, steps } = standing;
  const decides = role === 'administrator' || role === 'privacy-officer';
  return (
    <>
      <Group gap="sm" align="baseline">
        <Title order={1}>{name}</Title>
        <span className="quiet">{kind}</span>
        {state && <Mark tone={STATE_WORDS[state].tone}>{STATE_WORDS[state].label}</Mark>}
      </Group>
      <Text>
        {state ? NEXT_WORDS[state] : 'Nothing was agreed with it. It takes part as long as no agreement is needed.'}
      </Text>
      {role === 'administrator' && (
        <Link to="/lists/$key" params={{ key: standing.key }}>
          The list of people for whom it cares
        </Link>
      )}
      {role === 'administrator' && <Invitation standing={standing} refresh={refresh} />}
      {decides && state && <Decisions key={state} standing={standing} refresh={refresh} />}
      {kind === 'hub' && role === 'administrator' && <PeerPanel participant={standing.key} />}
      <Certificates standing={standing} refresh={refresh} mayAdd={role === 'administrator' && state !== undefined} />
      <Agreements standing={standing} refresh={refresh} decides={decides} />
      {steps.length > 0 && (
        <section className="panel" aria-labelledby="steps-title">
          <h2 id="steps-title">What happened</h2>
          <ol style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {steps.map(({ state: to, at, by, note }) => (
              <li key={`${at} ${to} ${note}`} style={{ padding: '0.2rem 0', overflowWrap: 'anywhere' }}>
                <strong>{STATE_WORDS[to].label}</strong>{' '}
                <span className="quiet small">
                  {formatDateTime(at)}, {by}
                </span>
                <div>{note}</div>
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

function Invitation({ standing: { key, state }, refresh }: Shown) {
  const invite = useMutation({
    mutationFn: () => postJson<{ token: string; expires: string }>(`/api/participants/${key}/invitation`, {}),
    onSuccess: refresh,
  });
  const link = invite.data && `${window.location.origin}/join#${invite.data.token}`;
  return (
    <section className="panel" aria-labelledby="invitation-title">
      <h2 id="invitation-title">Link</h2>
      <p className="small quiet">
        By a link the organisation shows its certificate and signs. It is shown once, and good until both have signed,
        for 14 days at most. Another link takes its place.
      </p>
      {link && (
        <Notice tone="good" title="Give this link to the organisation:">
          <code style={{ overflowWrap: 'anywhere' }}>{link}</code>
        </Notice>
      )}
      {invite.isError && (
        <Notice tone="bad" title="Not invited.">
          {invite.error.message}
        </Notice>
      )}
      <Group mt="xs">
        <Button size="compact-sm" loading={invite.isPending} onClick={() => invite.mutate()}>
          {state === undefined || state === 'ended' ? 'Invite it' : 'Make another link'}
        </Button>
      </Group>
    </section>
  );
}

function Decisions({ standing: { key, state }, refresh }: Shown) {
  const [note, setNote] = useState('');
  const decide = useMutation({
    mutationFn: (to: ParticipantState) =>
      postJson<void>(`/api/participants/${key}/steps`, { state: to, note: note.trim() }),
    onSuccess: refresh,
  });
  if (state === undefined || state === 'ended') return null;
  return (
    <section className="panel" aria-labelledby="decisions-title">
      <h2 id="decisions-title">Decide</h2>
      <Stack gap="xs">
        <Textarea
          label="Why"
          description="Kept with the step"
          autosize
          maxLength={1000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {decide.isError && (
          <Notice tone="bad" title="Not decided.">
            {decide.error.message}
          </Notice>
        )}
        <Group gap="xs">
          {DECISIONS[state].map(({ to, label }) => (
            <Button
              key={to}
              size="compact-sm"
              disabled={note.trim() === '' || decide.isPending}
              onClick={() => decide.mutate(to)}
            >
              {label}
            </Button>
          ))}
          <Button
            size="compact-sm"
            variant="default"
            disabled={note.trim() === '' || decide.isPending}
            onClick={() => decide.mutate('ended')}
          >
            It leaves the network
          </Button>
        </Group>
      </Stack>
    </section>
  );
}

function Certificates({ standing: { key, certificates }, refresh, mayAdd }: Shown & { mayAdd: boolean }) {
  return (
    <section className="panel" aria-labelledby="certificates-title">
      <h2 id="certificates-title">Certificates</h2>
      {certificates.length === 0 ? (
        <p className="quiet small">None stands for it.</p>
      ) : (
        <ul style={{ margin: '0 0 0.6rem', paddingLeft: '1.1rem' }}>
          {certificates.map((fingerprint) => (
            <li key={fingerprint} className="small" style={{ overflowWrap: 'anywhere' }}>
              <code>{fingerprint}</code>
            </li>
          ))}
        </ul>
      )}
      {mayAdd && (
        <CertificateForm
          add={async (certificate) => {
            await postJson(`/api/participants/${key}/certificate`, { certificate });
            await refresh();
          }}
        />
      )}
    </section>
  );
}

function Agreements({ standing: { key, state, agreements }, refresh, decides }: Shown & { decides: boolean }) {
  const [isWriting, setIsWriting] = useState(false);
  const sign = useMutation({
    mutationFn: ({ id, hash }: { id: string; hash: string }) => postJson<void>(`/api/agreements/${id}/sign`, { hash }),
    onSuccess: refresh,
  });
  const newest = agreements[0];
  const done = async () => {
    setIsWriting(false);
    await refresh();
  };
  return (
    <section className="panel" aria-labelledby="agreements-title">
      <h2 id="agreements-title">Agreements</h2>
      {agreements.length === 0 && <p className="quiet small">None is written.</p>}
      <Stack gap="md" component="ol" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {agreements.map((agreement) => (
          <li key={agreement.id}>
            <strong>Version {agreement.version}</strong>{' '}
            {agreement.isSigned && !agreement.supersededBy && <Mark tone="good">Signed by both</Mark>}
            {agreement.supersededBy && <Mark>Superseded</Mark>}
            <AgreementView agreement={agreement} />
            {decides && agreement === newest && !agreement.networkSigned && (
              <Button size="compact-sm" mt="xs" loading={sign.isPending} onClick={() => sign.mutate(agreement)}>
                Sign for the network
              </Button>
            )}
          </li>
        ))}
      </Stack>
      {sign.isError && (
        <Notice tone="bad" title="Not signed.">
          {sign.error.message}
        </Notice>
      )}
      {decides && state !== undefined && state !== 'ended' && (
        <div style={{ marginTop: '0.8rem' }}>
          {isWriting ? (
            <AgreementForm participant={key} onDone={() => void done()} />
          ) : (
            <Button size="compact-sm" variant="default" onClick={() => setIsWriting(true)}>
              Write {newest ? 'another' : 'one'}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}
