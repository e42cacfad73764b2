/** Requests for health information that came by letter, telephone or in person: what is owed by when, and what was done. */
import { Button, Group, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { BlockingException, InformationRequest, InformationRequestList, RefusalList } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { decidesCompliance, useUser } from '../session/session.ts';
import { clockWords, REQUEST_STATES, REQUESTERS, STEPS, today } from './compliance-words.ts';

const queryKey = ['information-requests'];

export function RequestList() {
  const decides = decidesCompliance(useUser()?.role);
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => getJson<InformationRequestList>('/api/information-requests', signal),
  });
  const known = useQuery({
    queryKey: ['refusals', ''],
    queryFn: ({ signal }) => getJson<RefusalList>('/api/refusals?', signal),
  });
  return (
    <>
      {decides && <NewRequest />}
      <Loaded query={query} what="the requests">
        {({ requests, late }) => (
          <>
            {late > 0 && (
              <Notice tone="bad" title={late === 1 ? 'One request is late.' : `${late} requests are late.`}>
                Something was owed to who asked, and the day is over.
              </Notice>
            )}
            {requests.length === 0 && <Text className="quiet">No request was filed.</Text>}
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {requests.map((request) => (
                <Row key={request.id} request={request} exceptions={known.data?.exceptions ?? []} decides={decides} />
              ))}
            </Stack>
          </>
        )}
      </Loaded>
    </>
  );
}

function Row({
  request,
  exceptions,
  decides,
}: {
  request: InformationRequest;
  exceptions: BlockingException[];
  decides: boolean;
}) {
  const { requester, received, about, patient, state, citation, clocks, steps, filedBy } = request;
  const words = REQUEST_STATES[state];
  return (
    <li className="panel">
      <Group gap="sm" align="baseline">
        <strong style={{ overflowWrap: 'anywhere' }}>
          {about?.name ?? (decides ? 'Erased' : 'A request, whose text auditors do not see')}
        </strong>
        <span className="quiet small">{REQUESTERS[requester] ?? requester}</span>
        <Mark tone={words.tone}>{citation ? `${words.label}: ${citation}` : words.label}</Mark>
      </Group>
      {about && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {about.asked} <span className="quiet">({about.manner})</span>
        </Text>
      )}
      {patient && (
        <Text size="sm">
          About <PatientName id={patient} />
        </Text>
      )}
      <Text size="sm" className="quiet">
        Received {formatDate(received)}, filed by {filedBy}.
      </Text>
      {clocks.length > 0 && (
        <ul style={{ margin: '0.3rem 0', paddingLeft: '1.2rem' }}>
          {clocks.map((clock) => (
            <li key={clock.what}>
              {clock.what} <span className="quiet small">({clock.citation})</span>{' '}
              <Mark tone={clock.isLate ? 'bad' : clock.met ? 'good' : 'neutral'}>{clockWords(clock)}</Mark>
            </li>
          ))}
        </ul>
      )}
      {steps.map(({ at, by, step, day, note }) => (
        <Text key={at} size="sm" style={{ overflowWrap: 'anywhere' }}>
          <strong>{STEPS[step] ?? step}</strong> {note}{' '}
          <span className="quiet small">
            {formatDate(day)}, {by}
          </span>
        </Text>
      ))}
      {decides && <NextStep request={request} exceptions={exceptions} />}
    </li>
  );
}

function NextStep({
  request: { id, state },
  exceptions,
}: {
  request: InformationRequest;
  exceptions: BlockingException[];
}) {
  const client = useQueryClient();
  const [step, setStep] = useState<string | null>(null);
  const [day, setDay] = useState(today());
  const [note, setNote] = useState('');
  const [exception, setException] = useState<string | null>(null);
  const send = useMutation({
    mutationFn: () =>
      postJson<unknown>(`/api/information-requests/${id}/steps`, {
        step,
        day,
        note: note.trim(),
        ...(step === 'refused' ? { exception } : {}),
      }),
    onSuccess: async () => {
      setStep(null);
      setNote('');
      await client.invalidateQueries({ queryKey });
    },
  });
  const isOpen = state === 'open';
  const steps = Object.entries(STEPS).filter(([value]) =>
    value === 'reopened' ? !isOpen : isOpen || !(value in REQUEST_STATES),
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!send.isPending) send.mutate();
      }}
    >
      <Group align="flex-end" mt="xs">
        <Select
          label="What was done"
          placeholder="Choose"
          data={steps.map(([value, label]) => ({ value, label }))}
          value={step}
          onChange={setStep}
          w={240}
        />
        {step === 'refused' && (
          <Select
            label="Under which exception"
            data={exceptions.map(({ code, name, citation }) => ({ value: code, label: `${name} (${citation})` }))}
            value={exception}
            onChange={setException}
            w={280}
          />
        )}
        {step && (
          <>
            <TextInput type="date" label="On" value={day} onChange={(event) => setDay(event.currentTarget.value)} />
            <TextInput
              label="Note"
              maxLength={4000}
              style={{ flexGrow: 1 }}
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
            />
            <Button
              type="submit"
              size="compact-sm"
              disabled={step === 'refused' && !exception}
              loading={send.isPending}
            >
              Note it
            </Button>
          </>
        )}
      </Group>
      {send.isError && (
        <Notice tone="bad" title="Not noted.">
          {send.error.message}
        </Notice>
      )}
    </form>
  );
}

const empty = { name: '', asked: '', manner: '' };

function NewRequest() {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [received, setReceived] = useState(today());
  const [requester, setRequester] = useState<string | null>('individual');
  const [about, setAbout] = useState(empty);
  const file = useMutation({
    mutationFn: () => postJson<unknown>('/api/information-requests', { received, requester, about }),
    onSuccess: async () => {
      setOpen(false);
      setAbout(empty);
      await client.invalidateQueries({ queryKey });
    },
  });
  if (!open) {
    return (
      <Button variant="default" onClick={() => setOpen(true)} style={{ alignSelf: 'flex-start' }}>
        File a request
      </Button>
    );
  }
  const isWhole = Object.values(about).every((text) => text.trim() !== '');
  const set = (name: keyof typeof empty) => (event: { currentTarget: { value: string } }) =>
    setAbout({ ...about, [name]: event.currentTarget.value });
  return (
    <form
      className="panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (!file.isPending) file.mutate();
      }}
    >
      <Group align="flex-end">
        <TextInput
          type="date"
          label="Received on"
          value={received}
          onChange={(event) => setReceived(event.currentTarget.value)}
        />
        <Select
          label="Who asks"
          data={Object.entries(REQUESTERS).map(([value, label]) => ({ value, label }))}
          value={requester}
          onChange={setRequester}
          allowDeselect={false}
        />
        <TextInput label="Name" maxLength={500} value={about.name} onChange={set('name')} />
      </Group>
      <Textarea label="What is asked for" autosize maxLength={4000} value={about.asked} onChange={set('asked')} />
      <TextInput
        label="In which manner"
        description="On paper, as FHIR, to an app"
        maxLength={500}
        value={about.manner}
        onChange={set('manner')}
      />
      <Group mt="xs">
        <Button type="submit" size="compact-sm" disabled={!isWhole} loading={file.isPending}>
          File it
        </Button>
        <Button variant="default" size="compact-sm" onClick={() => setOpen(false)}>
          Cancel
        </Button>
      </Group>
      {file.isError && (
        <Notice tone="bad" title="Not filed.">
          {file.error.message}
        </Notice>
      )}
    </form>
  );
}
