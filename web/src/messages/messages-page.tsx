/** Every message the hub has received: its state, what it became, what was not mapped. Filters live in the URL. */
import { Button, Group, Select, Stack, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Message, MessagePage as Page, Status } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Failed } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { bytes, count } from '../parts/numbers.ts';
import { useTitle } from '../parts/title.ts';
import { DIALECT_WORDS, notMapped, STATE_WORDS, StateMark } from './message-words.tsx';

const route = getRouteApi('/signed-in/messages');

export function MessagesPage() {
  useTitle('Messages');
  const search = route.useSearch();
  const query = useInfiniteQuery({
    queryKey: ['messages', search],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ limit: '50' });
      for (const [name, value] of Object.entries(search)) if (value) parameters.set(name, value);
      if (pageParam) parameters.set('before', pageParam);
      return getJson<Page>(`/api/messages?${parameters}`, signal);
    },
    getNextPageParam: (page) => page.next ?? undefined,
    // Older pages do not change under the reader: the list renews itself only while its first page is all there is.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 4_000),
  });
  const messages = query.data?.pages.flatMap((page) => page.messages) ?? [];
  return (
    <Stack gap="md">
      <Title order={1}>Messages</Title>
      <Filters />
      {query.isError && <Failed what="the messages" error={query.error} retry={() => query.refetch()} />}
      {query.isPending && <p role="status">Loading messages…</p>}
      {query.data && messages.length === 0 && <Notice>No message matches. Change the filters, or send one.</Notice>}
      {messages.length > 0 && <MessageTable messages={messages} />}
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
          Show older messages
        </Button>
      )}
    </Stack>
  );
}

function Filters() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const [text, setText] = useState(search.q ?? '');
  const sources = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => getJson<Status>('/api/status', signal),
    retry: false,
  }).data?.sources;
  const choose = (changed: Partial<typeof search>) =>
    navigate({ to: '/messages', search: { ...search, ...changed }, replace: true });
  const chooseText = useDebouncedCallback((q: string) => choose({ q: q || undefined }), 250);
  return (
    <search className="panel">
      <Group align="flex-end">
        <TextInput
          label="Search"
          placeholder="Control id, type or message id"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            chooseText(event.currentTarget.value.trim());
          }}
        />
        <Select
          label="State"
          placeholder="Any"
          clearable
          clearButtonProps={{ 'aria-label': 'Any state' }}
          value={search.state ?? null}
          data={Object.entries(STATE_WORDS).map(([value, { words }]) => ({ value, label: words }))}
          onChange={(state) => choose({ state: state ?? undefined })}
        />
        <Select
          label="Source"
          placeholder="Any"
          clearable
          clearButtonProps={{ 'aria-label': 'Any source' }}
          value={search.source ?? null}
          data={(sources ?? []).map((source) => ({ value: source.key, label: source.name }))}
          onChange={(source) => choose({ source: source ?? undefined })}
        />
        <Select
          label="Dialect"
          placeholder="Any"
          clearable
          clearButtonProps={{ 'aria-label': 'Any dialect' }}
          value={search.dialect ?? null}
          data={Object.entries(DIALECT_WORDS).map(([value, label]) => ({ value, label }))}
          onChange={(dialect) => choose({ dialect: dialect ?? undefined })}
        />
        {search.notMapped && (
          <Button variant="default" onClick={() => choose({ notMapped: undefined })}>
            Not mapped: {search.notMapped} ✕
          </Button>
        )}
      </Group>
    </search>
  );
}

function MessageTable({ messages }: { messages: Message[] }) {
  return (
    <div className="panel scroll-x">
      <table className="facts stacks">
        <caption className="visually-hidden">Messages, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Received</th>
            <th scope="col">Type</th>
            <th scope="col">Source</th>
            <th scope="col">Control id</th>
            <th scope="col">State</th>
            <th scope="col" style={{ textAlign: 'right' }}>
              Resources
            </th>
            <th scope="col">Not mapped</th>
            <th scope="col" style={{ textAlign: 'right' }}>
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {messages.map((message) => (
            <tr key={message.id} data-message={message.id}>
              <td style={{ whiteSpace: 'nowrap' }}>{formatDateTime(message.receivedAt)}</td>
              <td>
                <Link to="/messages/$id" params={{ id: message.id }} style={{ color: 'var(--mantine-color-anchor)' }}>
                  {message.type || 'Type not readable'}
                </Link>{' '}
                <span className="quiet small">{DIALECT_WORDS[message.dialect] ?? message.dialect}</span>
              </td>
              <td>{message.sourceName}</td>
              <td className="small" data-label="Control id">
                {message.controlId ?? ''}
              </td>
              <td>
                <StateMark state={message.state} />
                {message.error && <div className="small quiet">{message.error}</div>}
              </td>
              <td className="number" data-label="Resources">
                {count(message.counts.resources)}
              </td>
              <td data-label="Not mapped">
                {notMapped(message) > 0 ? (
                  <Mark tone={message.counts.rejected > 0 ? 'bad' : 'warn'}>
                    {count(notMapped(message))} not mapped
                  </Mark>
                ) : (
                  <span className="quiet small">{message.state === 'processed' ? 'nothing' : ''}</span>
                )}
                {message.issues > 0 && <span className="small"> {count(message.issues)} issues</span>}
              </td>
              <td className="number small" data-label="Size">
                {bytes(message.size)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
