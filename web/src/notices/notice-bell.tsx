/** What somebody has to be told, behind a bell that counts what was not read yet. Looking at it makes it read. */
import { Button, Group, Popover, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { PersonalNotice, Role } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { loopNotice } from '../loops/loop-words.ts';
import { Mark } from '../parts/mark.tsx';

const queryKey = ['notices'];

export function NoticeBell({ role }: { role: Role }) {
  const client = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const query = useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await getJson<{ notices: PersonalNotice[] }>('/api/notices', signal)).notices,
    refetchInterval: 60_000,
  });
  const read = useMutation({
    mutationFn: (ids: number[]) => postJson<void>('/api/notices/read', { ids }),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  const notices = query.data ?? [];
  const unread = notices.filter(({ isRead }) => !isRead);
  const toggle = (opened: boolean) => {
    setIsOpen(opened);
    // Marked when it is closed, so that what is new stays marked as new while it is looked at.
    if (!opened && unread.length > 0) read.mutate(unread.map(({ id }) => id));
  };
  return (
    <Popover opened={isOpen} onChange={toggle} width={280} position="bottom-end" withinPortal trapFocus>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant={unread.length > 0 ? 'filled' : 'default'}
          onClick={() => toggle(!isOpen)}
          aria-expanded={isOpen}
        >
          Notices
          {unread.length > 0 && (
            <span>
              &nbsp;({unread.length}
              <span className="visually-hidden"> new</span>)
            </span>
          )}
        </Button>
      </Popover.Target>
      <Popover.Dropdown style={{ maxHeight: '70vh', overflowY: 'auto' }}>
        {query.isError && <Text size="sm">The notices could not be loaded: {query.error.message}</Text>}
        {query.isSuccess && notices.length === 0 && <Text size="sm">There is nothing to tell you.</Text>}
        <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
          {notices.map((notice) => (
            <li key={notice.id} className="small" style={{ overflowWrap: 'anywhere' }}>
              {!notice.isRead && <Mark tone="info">New</Mark>} {noticeWords(notice, role)}{' '}
              {notice.about.loop && (
                <Link to="/loops/$id" params={{ id: notice.about.loop }} onClick={() => toggle(false)}>
                  Open it
                </Link>
              )}{' '}
              <span className="quiet">{formatDateTime(notice.at)}</span>
            </li>
          ))}
        </Stack>
        {role === 'privacy-officer' && notices.length > 0 && (
          <Group gap="md">
            <Link to="/emergencies" onClick={() => toggle(false)} className="small">
              Open the review queue
            </Link>
            <Link to="/unproven" onClick={() => toggle(false)} className="small">
              Who treats whom
            </Link>
          </Group>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function noticeWords({ kind, about }: PersonalNotice, role: Role): string {
  const record =
    role === 'patient' ? 'your record' : role === 'proxy' ? 'the record of somebody you act for' : 'a record';
  if (kind === 'emergency-begun') {
    return `${about.by} of ${about.organization} looked at ${record} in an emergency and said why: “${about.reason}”`;
  }
  if (kind === 'emergency-reviewed') {
    const whose = role === 'clinician' ? 'Your emergency access' : `The emergency access to ${record}`;
    const verdict = about.verdict === 'appropriate' ? 'right' : 'not right';
    return `${whose} was reviewed, and found ${verdict}.${about.comment ? ` “${about.comment}”` : ''}`;
  }
  if (kind === 'emergency-lookup-unused') {
    const count = about.patients?.length ?? 0;
    const found = count === 0 ? 'found nobody' : count === 1 ? 'found one person' : `found ${count} people`;
    return `${about.by} of ${about.organization} looked somebody up for an emergency, ${found}, and began no emergency access.`;
  }
  if (kind === 'loop') return loopNotice(about);
  if (kind === 'panel') return `The list of people for whom your organisation cares was taken: ${about.people} people.`;
  if (kind === 'fan-out') {
    return `${about.key} looked at ${about.persons} people within an hour; ${about.usual} are usual.`;
  }
  if (kind === 'direct-unanswered') {
    return `${about.destination} has not said in time that it has Direct mail that was sent to it: ${about.count} mails. They stand among the deliveries.`;
  }
  if (kind === 'audit') return `The audit log is not as it was. ${about.text}`;
  if (kind === 'witness') return String(about.text);
  return kind;
}
