/** One message: the original, its answer, where each field went, what it made and whom it reached. */
import { Button, Group, Stack, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ApplicationAcknowledgement, MessageDetail } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { bytes, count } from '../parts/numbers.ts';
import { ResourceLink } from '../parts/resource-link.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import { Deliveries } from './deliveries.tsx';
import { LedgerTable } from './ledger-table.tsx';
import { ACKNOWLEDGEMENT_WORDS, DIALECT_WORDS, notMapped, StateMark } from './message-words.tsx';
import { OriginalView } from './original-view.tsx';

const route = getRouteApi('/signed-in/messages/$id');

export function MessagePage() {
  useTitle('Message');
  const { id } = route.useParams();
  const query = useQuery({
    queryKey: ['message', id],
    queryFn: ({ signal }) => getJson<MessageDetail>(`/api/messages/${encodeURIComponent(id)}`, signal),
    refetchInterval: ({ state }) => (state.data?.state === 'received' ? 2_000 : false),
  });
  return (
    <Loaded query={query} what="the message">
      {(message) => <Message message={message} />}
    </Loaded>
  );
}

function Message({ message }: { message: MessageDetail }) {
  const [highlighted, setHighlighted] = useState<string>();
  const [place, setPlace] = useState<string>();
  const role = useUser()?.role;
  return (
    <Stack gap="sm">
      <Heading message={message} />
      {message.error && (
        <Notice tone="bad" title="Not processed.">
          {message.error}
        </Notice>
      )}
      {message.isOfEarlierMap && (
        <Notice tone="info" title="The map has changed since.">
          Below is where each field goes by today’s map; what the message made is an earlier one’s.{' '}
          {(role === 'integration-engineer' || role === 'administrator') && (
            <Link to="/maps" search={{ source: message.source }}>
              See what would change
            </Link>
          )}
        </Notice>
      )}
      <Issues message={message} />
      <div className="chart-columns">
        <div>
          <section className="panel" aria-labelledby="original-title">
            <h2 id="original-title">
              Original{' '}
              <span className="quiet small">
                {bytes(message.size)}, {message.encoding}
              </span>
            </h2>
            <OriginalView
              original={message.original}
              dialect={message.dialect}
              highlighted={highlighted ?? place}
              onChoose={(source) => {
                setPlace(source);
                setHighlighted(undefined);
              }}
            />
            <p className="small quiet" style={{ margin: '0.4rem 0 0' }}>
              Choose a place in the original to see where it went.
            </p>
          </section>
          {message.applicationAcknowledgement && (
            <Acknowledgement acknowledgement={message.applicationAcknowledgement} />
          )}
        </div>
        <div>
          {message.ledgerLeftOut ? (
            <p className="quiet small">{message.ledgerLeftOut}</p>
          ) : (
            <LedgerTable
              ledger={message.ledger}
              place={place}
              clearPlace={() => setPlace(undefined)}
              highlighted={highlighted}
              onHighlight={setHighlighted}
            />
          )}
          <Resources message={message} />
          <Deliveries deliveries={message.deliveries} />
        </div>
      </div>
    </Stack>
  );
}

function Heading({ message }: { message: MessageDetail }) {
  const role = useUser()?.role;
  const client = useQueryClient();
  const replay = useMutation({
    mutationFn: () => postJson<unknown>(`/api/messages/${encodeURIComponent(message.id)}/replay`, {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ['message', message.id] }),
  });
  return (
    <section className="panel" aria-label="Message">
      <Group align="baseline" gap="md">
        <Title order={1}>{message.type || 'Message of unreadable type'}</Title>
        <span>{DIALECT_WORDS[message.dialect] ?? message.dialect}</span>
        <StateMark state={message.state} />
        {notMapped(message) > 0 && <Mark tone="warn">{count(notMapped(message))} not mapped</Mark>}
        <Group ml="auto" gap="sm">
          {message.person && readsRecords(role) && (
            <Link to="/people/$id" params={{ id: message.person }} style={{ color: 'var(--mantine-color-anchor)' }}>
              Open the chart
            </Link>
          )}
          {(role === 'integration-engineer' || role === 'administrator') && (
            <Button size="compact-sm" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
              Process again
            </Button>
          )}
        </Group>
      </Group>
      <p className="small" style={{ margin: '0.3rem 0 0' }}>
        <span className="quiet">From</span> {message.sourceName} <span className="quiet">received</span>{' '}
        {formatDateTime(message.receivedAt)} {message.controlId && <span className="quiet">control id</span>}{' '}
        {message.controlId} <span className="quiet">attempts</span> {message.attempts} <span className="quiet">id</span>{' '}
        {message.id}
      </p>
      <div role="status" aria-live="polite">
        {replay.isSuccess && <span className="small">Taken up again; this page renews itself.</span>}
        {replay.isError && <Notice tone="bad">{replay.error.message}</Notice>}
      </div>
    </section>
  );
}

function Issues({ message }: { message: MessageDetail }) {
  if (message.issueList.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="issues-title">
      <h2 id="issues-title">Issues</h2>
      <ul style={{ margin: 0, paddingLeft: '1.1rem' }}>
        {message.issueList.map((issue) => (
          <li key={`${issue.source} ${issue.message}`}>
            <Mark tone={issue.severity === 'warning' ? 'warn' : issue.severity === 'information' ? 'info' : 'bad'}>
              {issue.severity}
            </Mark>{' '}
            <code className="small">{issue.source}</code> {issue.message}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Acknowledgement({ acknowledgement }: { acknowledgement: ApplicationAcknowledgement }) {
  const { state, code, sentAt, error } = acknowledgement;
  const { words, tone } = ACKNOWLEDGEMENT_WORDS[state];
  return (
    <section className="panel" aria-labelledby="ack-title">
      <h2 id="ack-title">Application acknowledgement</h2>
      <p style={{ margin: 0 }}>
        {code && <code>{code}</code>} <Mark tone={tone}>{words}</Mark>{' '}
        {sentAt && <span className="quiet small">{formatDateTime(sentAt)}</span>}
      </p>
      {error && <p className="small quiet">{error}</p>}
    </section>
  );
}

function Resources({ message }: { message: MessageDetail }) {
  return (
    <section className="panel" aria-labelledby="resources-title">
      <h2 id="resources-title">Resources made or changed</h2>
      {message.resources.length === 0 ? (
        <p className="quiet small">None.</p>
      ) : (
        <ul className="small" style={{ margin: 0, paddingLeft: '1.1rem', maxHeight: '16rem', overflow: 'auto' }}>
          {message.resources.map(({ reference, versionId }) => (
            <li key={reference} style={{ overflowWrap: 'anywhere' }}>
              <ResourceLink reference={reference} version={`${versionId}`}>
                {reference}
              </ResourceLink>{' '}
              <span className="quiet">version {versionId}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
