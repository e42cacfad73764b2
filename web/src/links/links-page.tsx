/** The records that make up one person, how they were linked, and the way to take one out again. */
import { Anchor, Button, Group, Modal, Stack, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Person, PersonEvent, PersonMember } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { formatDate, formatDateTime } from '../fhir/dates.ts';
import { genderText } from '../fhir/people.ts';
import { Identifiers } from '../parts/identifier.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { probabilityText } from '../parts/numbers.ts';
import { organisationName } from '../parts/organisation.ts';
import { ReasonField } from '../parts/reason-field.tsx';
import { useTitle } from '../parts/title.ts';
import { decidesCompliance, readsAccesses, readsRecords, useUser } from '../session/session.ts';
import { AccountsPanel } from './accounts-panel.tsx';
import { personQuery } from './person-query.ts';

const route = getRouteApi('/signed-in/people/$id/links');

const GRADE_WORDS: Record<PersonMember['grade'], string> = {
  auto: 'Linked by the index',
  confirmed: 'Confirmed by a person',
  source: 'Stated by the source',
};

const EVENT_WORDS: Record<PersonEvent['event'], string> = {
  linked: 'Linked',
  unlinked: 'Taken out',
  merged: 'Merged',
  split: 'Split',
};

export function LinksPage() {
  useTitle('Where a person is known');
  const { id } = route.useParams();
  const role = useUser()?.role;
  const query = useQuery(personQuery(id));
  return (
    <Stack gap="md">
      <Title order={1}>Where this person is known</Title>
      <Group gap="0.3rem 1rem">
        {readsRecords(role) && (
          <Link to="/people/$id" params={{ id }}>
            Back to the chart
          </Link>
        )}
        {role !== 'clinician' && (
          <Link to="/consents/$patient" params={{ patient: id }}>
            Who may see this record
          </Link>
        )}
        {readsAccesses(role) && (
          <Link to="/accesses/$patient" params={{ patient: id }}>
            Who looked at this record
          </Link>
        )}
        {decidesCompliance(role) && (
          <Link to="/erasures" search={{ patient: id }}>
            Ask for an erasure
          </Link>
        )}
      </Group>
      <Loaded query={query} what="the links">
        {(person) => (
          <>
            <Members id={id} person={person} />
            {(role === 'steward' || role === 'administrator') && person.members.length > 0 && (
              <AccountsPanel members={person.members} />
            )}
            <History person={person} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Members({ id, person }: { id: string; person: Person }) {
  const [leaving, setLeaving] = useState<PersonMember>();
  const role = useUser()?.role;
  const mayUnlink = (role === 'steward' || role === 'administrator') && person.members.length > 1;
  return (
    <section className="panel" aria-labelledby="members-title">
      <h2 id="members-title">
        {person.members.length === 1 ? 'One record' : `${person.members.length} records held to be one person`}
      </h2>
      <div className="scroll-x">
        <table className="facts stacks">
          <thead>
            <tr>
              <th scope="col">Organisation</th>
              <th scope="col">Name</th>
              <th scope="col">Birth date</th>
              <th scope="col">Sex</th>
              <th scope="col">Identifiers</th>
              <th scope="col">Link</th>
              {mayUnlink && <th scope="col">Action</th>}
            </tr>
          </thead>
          <tbody>
            {person.members.map((member) => (
              <tr key={member.patient}>
                <td>
                  <Anchor href={`/people/${member.patient}`}>{organisationName(member)}</Anchor>
                </td>
                <td>{member.name ?? 'Name not recorded'}</td>
                <td data-label="Born">{formatDate(member.birthDate) || 'not recorded'}</td>
                <td>{genderText(member.gender)}</td>
                <td className="small" data-label="Identifiers">
                  <Identifiers identifiers={member.identifiers} beside={organisationName(member)} />
                </td>
                <td>
                  <Mark tone={member.grade === 'auto' ? 'neutral' : 'good'}>
                    {GRADE_WORDS[member.grade] ?? member.grade}
                  </Mark>
                  <div className="small quiet">since {formatDate(member.since)}</div>
                </td>
                {mayUnlink && (
                  <td>
                    <Button size="compact-sm" variant="default" onClick={() => setLeaving(member)}>
                      Take out
                    </Button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {leaving && <UnlinkDialog id={id} member={leaving} close={() => setLeaving(undefined)} />}
    </section>
  );
}

function UnlinkDialog({ id, member, close }: { id: string; member: PersonMember; close: () => void }) {
  const [reason, setReason] = useState('');
  const client = useQueryClient();
  const unlink = useMutation({
    mutationFn: () =>
      postJson<Person>(`/api/persons/${encodeURIComponent(id)}/unlink`, {
        patient: member.patient,
        reason: reason.trim(),
      }),
    onSuccess: (person) => {
      client.setQueryData(personQuery(id).queryKey, person);
      client.removeQueries({ queryKey: ['record'] });
      close();
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={`Take the record of ${organisationName(member)} out`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <p style={{ margin: 0 }}>
          Its facts leave this person’s record. Organisations that received them are sent the correction.
        </p>
        <ReasonField label="Why is this another person?" data-autofocus value={reason} onChange={setReason} />
        {unlink.isError && <Notice tone="bad">{unlink.error.message}</Notice>}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button disabled={reason.trim() === ''} loading={unlink.isPending} onClick={() => unlink.mutate()}>
            Take out
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function History({ person }: { person: Person }) {
  const named = new Map(person.members.map((member) => [member.patient, organisationName(member)]));
  return (
    <section className="panel" aria-labelledby="history-title">
      <h2 id="history-title">History</h2>
      {person.history.length === 0 ? (
        <p className="quiet small">Nothing has been linked or unlinked yet.</p>
      ) : (
        <div className="scroll-x">
          <table className="facts stacks">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">By</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {person.history.map((event) => (
                <tr key={`${event.at} ${event.event} ${event.patient}`}>
                  <td className="small">{formatDateTime(event.at)}</td>
                  <td>
                    {EVENT_WORDS[event.event] ?? event.event}{' '}
                    <span className="quiet" title={event.patient}>
                      {named.get(event.patient) ?? 'a record that is no longer of this person'}
                    </span>
                  </td>
                  <td data-label="By">{event.by === 'matching' ? 'the index' : event.by}</td>
                  <td>
                    {event.reason}
                    {event.probability !== null && event.probability !== undefined && (
                      <span className="quiet"> probability {probabilityText(event.probability)}</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
