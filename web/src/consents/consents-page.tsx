/** Who may see a person's record: what holds now, deciding anew, what an organisation sees, and earlier decisions. */
import { Button, Group, Stack, Text, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { GivenConsent, GivenConsents } from '../api/contract.ts';
import { deleteJson, getJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { WhatTheySee } from '../explanations/record-explanation.tsx';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import { choiceWords } from './choice-words.ts';
import { DecideForm } from './decide-form.tsx';
import { Preview } from './preview.tsx';

const route = getRouteApi('/signed-in/consents/$patient');

export const consentsKey = (patient: string) => ['consents', patient];

export function ConsentsPage() {
  const { patient } = route.useParams();
  const role = useUser()?.role;
  const title = role === 'patient' ? 'Who may see my record' : 'Who may see this record';
  useTitle(title);
  const query = useQuery({
    queryKey: consentsKey(patient),
    queryFn: ({ signal }) => getJson<GivenConsents>(`/api/patients/${encodeURIComponent(patient)}/consents`, signal),
  });
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>{title}</Title>
      <Group gap="md">
        <PatientName id={patient} />
        <Link to={readsRecords(role) ? '/people/$id' : '/people/$id/links'} params={{ id: patient }}>
          Back to the record
        </Link>
      </Group>
      <Loaded query={query} what="what was decided">
        {(given) => <Decisions patient={patient} given={given} />}
      </Loaded>
    </Stack>
  );
}

function Decisions({ patient, given }: { patient: string; given: GivenConsents }) {
  const { consents, organizations, isStaff, model } = given;
  const role = useUser()?.role;
  const whom = role === 'patient' ? 'you' : 'the person';
  const [evidence, setEvidence] = useState('');
  const names = new Map(organizations.map(({ key, name }) => [key, name]));
  const active = consents.filter(({ status }) => status === 'active');
  const earlier = consents.filter(({ status }) => status !== 'active');
  const proof = isStaff ? evidence.trim() : undefined;
  return (
    <>
      {isStaff && (
        <section className="panel">
          <Textarea
            label="What shows that the person said so"
            description="Such as a signed form and its date. Kept with each decision that you file or revoke here."
            required
            autosize
            maxLength={1000}
            value={evidence}
            onChange={(event) => setEvidence(event.currentTarget.value)}
          />
        </section>
      )}
      <section className="panel" aria-labelledby="holds-now">
        <h2 id="holds-now">What holds now</h2>
        {active.length === 0 && (
          <Text>
            Nothing was decided for this record, so the network’s rule holds:{' '}
            {model === 'opt-in'
              ? `nobody but those who wrote it sees it before ${whom === 'you' ? 'you have' : `${whom} has`} allowed it.`
              : `those who treat ${whom} see it.`}
          </Text>
        )}
        <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
          {active.map((consent) => (
            <Given key={consent.id} patient={patient} consent={consent} names={names} proof={proof} />
          ))}
        </Stack>
        <Text size="sm" className="quiet" mt="xs">
          Those who wrote something can still see what they wrote, unless they are named, and in an emergency a
          clinician may look at all of it; {whom === 'you' ? 'you are' : `${whom} is`} told of that.
        </Text>
      </section>
      <DecideForm patient={patient} organizations={organizations} active={active} proof={proof} />
      {role === 'steward' ? (
        <Preview patient={patient} organizations={organizations} />
      ) : (
        <WhatTheySee patient={patient} organizations={organizations} />
      )}
      {earlier.length > 0 && (
        <section className="panel" aria-labelledby="held-before">
          <h2 id="held-before">Earlier decisions</h2>
          <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {earlier.map((consent) => (
              <li key={consent.id} style={{ borderTop: '1px solid var(--line)', paddingTop: '0.5rem' }}>
                <Words consent={consent} names={names} />
              </li>
            ))}
          </Stack>
        </section>
      )}
    </>
  );
}

function Given({
  patient,
  consent,
  names,
  proof,
}: {
  patient: string;
  consent: GivenConsent;
  names: ReadonlyMap<string, string>;
  /** Undefined where the person decides itself; empty where it is needed and was not given yet. */
  proof: string | undefined;
}) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      deleteJson<void>(
        `/api/patients/${encodeURIComponent(patient)}/consents/${consent.id}`,
        proof === undefined ? undefined : { evidence: proof },
      ),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: consentsKey(patient) }),
        client.invalidateQueries({ queryKey: ['consent-preview', patient] }),
      ]),
  });
  return (
    <li data-consent={consent.id} style={{ borderTop: '1px solid var(--line)', paddingTop: '0.5rem' }}>
      <Group justify="space-between" align="flex-start">
        <Words consent={consent} names={names} />
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => revoke.mutate()}
          disabled={proof === ''}
          loading={revoke.isPending}
        >
          Revoke
        </Button>
      </Group>
      {revoke.isError && (
        <Notice tone="bad" title="Not revoked.">
          {revoke.error.message}
        </Notice>
      )}
    </li>
  );
}

function Words({ consent, names }: { consent: GivenConsent; names: ReadonlyMap<string, string> }) {
  const sentences = consent.choice
    ? choiceWords(consent.choice, names)
    : ['A decision that was filed elsewhere and says more than this page can show.'];
  return (
    <div style={{ minWidth: 0, flex: '1 1 12rem' }}>
      {sentences.map((sentence) => (
        <div key={sentence}>{sentence}</div>
      ))}
      <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
        Decided {formatDateTime(consent.given)}
        {consent.evidence && `; ${consent.evidence}`}
      </Text>
    </div>
  );
}
