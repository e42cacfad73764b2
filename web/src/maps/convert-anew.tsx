/** Converting stored messages anew by today's maps: what would change, element by element; then carrying it out. */
import { Button, Checkbox, Group, Progress, Stack } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReprocessChange, ReprocessJob, ReprocessPreview } from '../api/contract.ts';
import { deleteJson, getJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Failed } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { ResourceLink } from '../parts/resource-link.tsx';
import type { Tone } from '../theme/tones.ts';

interface Scope {
  source: string | undefined;
  sourceName: string | undefined;
}

export function ConvertAnew({ source, sourceName }: Scope) {
  const [all, setAll] = useState(false);
  const [asked, setAsked] = useState(false);
  const filter = { ...(source ? { source } : {}), ...(all ? { all } : {}) };
  return (
    <section className="panel" aria-labelledby="anew-title">
      <h2 id="anew-title">Convert stored messages anew</h2>
      <p className="small quiet" style={{ marginTop: 0 }}>
        Messages of {sourceName ?? 'all senders'} that were converted by another map than today’s. Newer knowledge and
        corrections stand, and nothing is sent again unless a fact changes.
      </p>
      <Stack gap="sm">
        <Checkbox
          label="Also those that today’s map converted"
          checked={all}
          onChange={(event) => {
            setAll(event.currentTarget.checked);
            setAsked(false);
          }}
        />
        {asked ? (
          <Preview filter={filter} onStarted={() => setAsked(false)} />
        ) : (
          <Group>
            <Button size="compact-sm" variant="default" onClick={() => setAsked(true)}>
              See what would change
            </Button>
          </Group>
        )}
        <Jobs />
      </Stack>
    </section>
  );
}

function Preview({ filter, onStarted }: { filter: object; onStarted: () => void }) {
  const client = useQueryClient();
  const query = useInfiniteQuery({
    queryKey: ['reprocess-preview', filter],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => postJson<ReprocessPreview>('/api/reprocess/preview', { ...filter, after: pageParam }),
    getNextPageParam: (page) => page.next ?? undefined,
    gcTime: 0,
    retry: false,
  });
  const start = useMutation({
    mutationFn: () => postJson<ReprocessJob>('/api/reprocess', filter),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['reprocess-jobs'] });
      onStarted();
    },
  });
  if (query.isPending) return <p role="status">Converting the first messages…</p>;
  if (query.isError) return <Failed what="what would change" error={query.error} retry={() => query.refetch()} />;
  const pages = query.data.pages;
  const lanes = pages.flatMap((page) => page.lanes);
  const changes = lanes.flatMap((lane) => lane.changes);
  const differ = lanes.reduce((sum, lane) => sum + lane.differ, 0);
  const looked = lanes.reduce((sum, lane) => sum + lane.messages, 0);
  const total = pages[0]?.messages ?? 0;
  const leftOut = lanes.filter(({ leftBecause }) => leftBecause);
  const invalid = changes.filter((change) => change.invalid.length > 0).length;
  if (total === 0) return <Notice tone="good">All messages were converted by today’s map.</Notice>;
  return (
    <>
      <p role="status" style={{ margin: 0 }}>
        {count(differ)} {differ === 1 ? 'resource differs' : 'resources differ'} after converting {count(looked)}{' '}
        messages of those patients; {count(total)} messages are to be looked at in all.
      </p>
      {leftOut.length > 0 && (
        <Notice tone="warn" title={`${count(leftOut.length)} patients are left as they are.`}>
          {leftOut[0]?.leftBecause}
        </Notice>
      )}
      {differ > changes.length && (
        <Notice tone="info">{count(changes.length)} of these resources are shown, the first of each patient.</Notice>
      )}
      {invalid > 0 && (
        <Notice tone="bad" title={`${count(invalid)} of the resources would not be valid FHIR R4.`}>
          Mend the map or the sender’s settings first.
        </Notice>
      )}
      <Group gap="sm">
        {query.hasNextPage && (
          <Button
            size="compact-sm"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => query.fetchNextPage()}
          >
            Look at more
          </Button>
        )}
        <Button size="compact-sm" loading={start.isPending} disabled={invalid > 0} onClick={() => start.mutate()}>
          Convert {count(total)} messages anew
        </Button>
      </Group>
      {start.isError && <Notice tone="bad">{start.error.message}</Notice>}
      <FirstFew items={changes} few={10} what="resources">
        {(shown) => shown.map((change) => <Change key={`${change.reference} ${change.kind}`} change={change} />)}
      </FirstFew>
    </>
  );
}

const KIND: Record<ReprocessChange['kind'], { words: string; tone: Tone }> = {
  added: { words: 'New', tone: 'good' },
  changed: { words: 'Changed', tone: 'info' },
  removed: { words: 'No longer made', tone: 'warn' },
};

function Change({ change }: { change: ReprocessChange }) {
  const { kind, reference, versionId, message, differences, invalid } = change;
  return (
    <details data-change={reference}>
      <summary style={{ overflowWrap: 'anywhere' }}>
        <Mark tone={KIND[kind].tone}>{KIND[kind].words}</Mark> {reference.split('/')[0]}{' '}
        <span className="quiet small">
          {kind === 'changed' && `${count(differences.length)} ${differences.length === 1 ? 'element' : 'elements'}, `}
          {message.type} {message.controlId}
        </span>
      </summary>
      <p className="small" style={{ margin: '0.3rem 0', overflowWrap: 'anywhere' }}>
        {versionId ? (
          <ResourceLink reference={reference} version={versionId}>
            {reference}, version {versionId}
          </ResourceLink>
        ) : (
          reference
        )}{' '}
        <span className="quiet">by</span>{' '}
        <Link to="/messages/$id" params={{ id: message.id }}>
          this message
        </Link>
      </p>
      {invalid.map(({ expression, diagnostics }) => (
        <Notice key={`${expression} ${diagnostics}`} tone="bad" title={expression}>
          {diagnostics}
        </Notice>
      ))}
      {kind !== 'removed' && (
        <div className="scroll-x">
          <table className="facts">
            <thead>
              <tr>
                <th scope="col">Element</th>
                <th scope="col">Now</th>
                <th scope="col">Then</th>
              </tr>
            </thead>
            <tbody>
              {differences.map(({ path, before, after }) => (
                <tr key={path}>
                  <td>
                    <code className="small">{path}</code>
                  </td>
                  <td style={{ overflowWrap: 'anywhere' }}>{value(before)}</td>
                  <td style={{ overflowWrap: 'anywhere' }}>{value(after)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function value(one: unknown) {
  return one === undefined ? <span className="quiet small">nothing</span> : String(one);
}

function Jobs() {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ['reprocess-jobs'],
    queryFn: ({ signal }) => getJson<{ jobs: ReprocessJob[] }>('/api/reprocess', signal),
    refetchInterval: ({ state }) => (state.data?.jobs.some(({ state: one }) => one === 'running') ? 1_000 : 10_000),
  });
  const cancel = useMutation({
    mutationFn: (id: string) => deleteJson<unknown>(`/api/reprocess/${id}`),
    onSettled: () => client.invalidateQueries({ queryKey: ['reprocess-jobs'] }),
  });
  const jobs = query.data?.jobs.slice(0, 5) ?? [];
  if (query.isError) return <Failed what="earlier conversions" error={query.error} retry={() => query.refetch()} />;
  if (jobs.length === 0) return null;
  return (
    <ul style={{ listStyle: 'none', margin: 0, padding: 0 }} aria-label="Conversions, newest first">
      {jobs.map((job) => (
        <li key={job.id} data-job={job.state} style={{ padding: '0.3rem 0' }}>
          <Group gap="sm" justify="space-between">
            <span>
              <Mark tone={job.state === 'complete' ? 'good' : job.state === 'running' ? 'info' : 'neutral'}>
                {JOB_WORDS[job.state]}
              </Mark>{' '}
              {formatDateTime(job.requestedAt)}{' '}
              <span className="small">
                {count(job.messages)} messages: {count(job.changed)} resources changed, {count(job.added)} new,{' '}
                {count(job.removed)} removed
                {job.leftOut > 0 && `; ${count(job.leftOut)} patients left as they are: ${job.leftBecause}`}
              </span>
            </span>
            {job.state === 'running' && (
              <Button size="compact-xs" variant="default" onClick={() => cancel.mutate(job.id)}>
                Stop
              </Button>
            )}
          </Group>
          {job.state === 'running' && (
            <Progress
              aria-label="Patients done"
              value={job.lanes === 0 ? 100 : Math.min(100, (100 * job.lanesDone) / job.lanes)}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

const JOB_WORDS: Record<ReprocessJob['state'], string> = { running: 'Running', complete: 'Done', cancelled: 'Stopped' };
