/**
 * What an app asks for, in plain words, and what the user allows: scope by scope, with parts that can be left out. It
 * stands alone, without the navigation, since the browser goes back to the app.
 */
import { Button, Checkbox, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { AppQuestion } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { ROLE_WORDS, useUser } from '../session/session.ts';
import { Logo } from '../shell/logo.tsx';
import { PatientChoice, PatientName } from './patient-choice.tsx';
import { type Choice, chosenScopes, readRequest } from './scopes.ts';

const route = getRouteApi('/oauth/interaction/$uid');

export function ConsentPage() {
  useTitle('Connect an app');
  const { uid } = route.useParams();
  const query = useQuery({
    queryKey: ['app-question', uid],
    queryFn: ({ signal }) => getJson<AppQuestion>(`/oauth/interaction/${uid}/question`, signal),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <main className="page" style={{ maxWidth: 640, paddingTop: '5vh' }}>
      <Stack gap="md">
        <Logo size={40} />
        <Loaded query={query} what="what the app asks for">
          {(question) => <Consent uid={uid} question={question} />}
        </Loaded>
      </Stack>
    </main>
  );
}

function Consent({ uid, question }: { uid: string; question: AppQuestion }) {
  const user = useUser();
  const { client, launch } = question;
  const request = readRequest(question.scopes);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [patient, setPatient] = useState<string>();
  const answer = useMutation({
    mutationFn: (isAllowed: boolean) =>
      postJson<{ next: string }>(`/oauth/interaction/${uid}/answer`, {
        isAllowed,
        scopes: chosenScopes(request, left),
        ...(question.needsPatient && patient ? { patient } : {}),
      }),
    onSuccess: ({ next }) => window.location.assign(next),
  });
  const isWaiting = answer.isPending || answer.isSuccess;
  const toggle = (scopes: string[], isIn: boolean) => {
    const next = new Set(left);
    for (const scope of scopes) {
      if (isIn) next.delete(scope);
      else next.add(scope);
    }
    setLeft(next);
  };
  const allowed = chosenScopes(request, left).filter((scope) => !['openid', ...request.others].includes(scope));
  const tellsWho = request.identity.some((scope) => scope !== 'openid');
  const isOnlySignIn = question.signsIn === true && request.data.length === 0;
  const isNothing = allowed.length === 0 && !isOnlySignIn;
  const lacksPatient = question.needsPatient && !patient;
  return (
    <>
      <section className="panel" style={{ padding: '1.4rem' }}>
        <Title order={1}>{isOnlySignIn ? `Sign in at ${client.name}?` : `Connect ${client.name}?`}</Title>
        <Text mt="xs">
          {isOnlySignIn ? (
            <>
              <strong>{client.name}</strong> asks who you are. You are signed in as <strong>{user?.name}</strong>. It
              sees nothing of what this hub holds.
            </>
          ) : (
            <>
              The app <strong>{client.name}</strong> wants to see data that this hub holds. You are signed in as{' '}
              <strong>{user?.name}</strong>; it can never see more than you.
            </>
          )}
        </Text>
        <Text size="sm" className="quiet" mt={6}>
          {client.isNative
            ? 'It runs on this device. Go on only if you started it yourself.'
            : `Afterwards you go back to ${question.returnTo}. Go on only if you know that address.`}
        </Text>
      </section>
      {question.signsIn && (
        <section className="panel">
          <h2>What {client.name} is told of you</h2>
          <ul style={{ margin: 0, paddingLeft: '1.1rem' }}>
            <li>Your name: {user?.name}</li>
            <li>Your user name: {user?.username}</li>
            <li>What you are here: {user && (ROLE_WORDS[user.role] ?? user.role)}</li>
            <li>Your organisation: {user?.organization}</li>
          </ul>
        </section>
      )}
      {launch && (
        <section className="panel">
          <h2>Whose record</h2>
          <PatientName id={launch.patient} />
          <Text size="sm" className="quiet">
            The person whose chart you opened it from.
          </Text>
        </section>
      )}
      {question.needsPatient && <PatientChoice chosen={patient} onChoose={setPatient} />}
      {request.data.length > 0 && (
        <section className="panel">
          <h2>What this app will see</h2>
          <Stack gap="sm">
            {request.data.map((choice) => (
              <DataChoice key={choice.scope} choice={choice} left={left} onToggle={toggle} />
            ))}
          </Stack>
        </section>
      )}
      {(tellsWho || request.staying) && (
        <section className="panel">
          <h2>And also</h2>
          <Stack gap="sm">
            {tellsWho && (
              <Checkbox
                label="Your name, and your entry in the record or among the staff"
                checked={request.identity.some((scope) => scope !== 'openid' && !left.has(scope))}
                onChange={(event) =>
                  toggle(
                    request.identity.filter((scope) => scope !== 'openid'),
                    event.currentTarget.checked,
                  )
                }
              />
            )}
            {request.staying && (
              <Checkbox
                label={
                  request.staying === 'offline_access'
                    ? 'Keep its access when you are away, until you disconnect it'
                    : 'Keep its access as long as you are signed in here'
                }
                description="Without this it has to ask again after an hour."
                checked={!left.has(request.staying)}
                onChange={(event) => toggle([request.staying!], event.currentTarget.checked)}
              />
            )}
          </Stack>
        </section>
      )}
      {answer.isError && (
        <Notice tone="bad" title="Not connected.">
          {answer.error.message}
        </Notice>
      )}
      <section className="panel">
        <Group justify="space-between">
          <Button variant="default" onClick={() => answer.mutate(false)} disabled={isWaiting}>
            Refuse
          </Button>
          <Button
            onClick={() => answer.mutate(true)}
            disabled={lacksPatient || isNothing}
            loading={isWaiting}
            loaderProps={{ 'aria-label': 'Connecting' }}
          >
            {isOnlySignIn ? `Sign in at ${client.name}` : `Allow ${client.name}`}
          </Button>
        </Group>
        <Text size="sm" className="quiet" mt="xs" role="status" aria-live="polite">
          {lacksPatient
            ? 'Choose first whose record it may see.'
            : isNothing
              ? 'Nothing is ticked: refuse the app instead.'
              : isOnlySignIn
                ? 'What you may do there is decided there.'
                : 'You can disconnect it at any time under Your apps; that counts at once.'}
        </Text>
      </section>
    </>
  );
}

function DataChoice({
  choice: { scope, label, doing, parts },
  left,
  onToggle,
}: {
  choice: Choice;
  left: ReadonlySet<string>;
  onToggle: (scopes: string[], isIn: boolean) => void;
}) {
  const isIn = !left.has(scope) && (parts.length === 0 || parts.some((part) => !left.has(part.scope)));
  const isWhole = isIn && parts.every((part) => !left.has(part.scope));
  const partScopes = parts.map((part) => part.scope);
  return (
    <div>
      <Checkbox
        label={label}
        description={doing ? `It may ${doing}.` : undefined}
        checked={isIn}
        indeterminate={isIn && !isWhole}
        onChange={() => onToggle([scope, ...partScopes], !isWhole)}
      />
      {parts.length > 0 && (
        <details style={{ margin: '0.3rem 0 0 1.9rem' }}>
          <summary className="small">Choose parts of it</summary>
          <Stack gap={6} mt={6}>
            {parts.map((part) => (
              <Checkbox
                key={part.scope}
                size="xs"
                label={part.label}
                checked={isIn && !left.has(part.scope)}
                onChange={(event) => onToggle([part.scope, ...(isIn ? [] : [scope])], event.currentTarget.checked)}
              />
            ))}
            <Text size="xs" className="quiet">
              Where you take out a part, data that belong to none of these are left out too.
            </Text>
          </Stack>
        </details>
      )}
    </div>
  );
}
