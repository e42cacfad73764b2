/** How the hub is doing: counts by stage of the way of a message, and each source. */
import { SimpleGrid, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Status } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { useTitle } from '../parts/title.ts';
import { readsAccesses, readsDeliveries, useUser } from '../session/session.ts';
import { FanOutAlarms } from '../unproven/fan-out-alarms.tsx';

export function StatusPage() {
  useTitle('Status');
  const query = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => getJson<Status>('/api/status', signal),
    refetchInterval: 5_000,
  });
  return (
    <Stack gap="md">
      <Title order={1}>Status</Title>
      {query.isError && query.data && <Notice tone="warn">The figures are old: {query.error.message}</Notice>}
      <Loaded query={query} what="the status">
        {(status) => (
          <>
            <AuditLogWrong status={status} />
            <DestinationsDown status={status} />
            <RoutesRemoved status={status} />
            <ConnectorsFailing status={status} />
            <RevocationSilent status={status} />
            <CertificatesEnding status={status} />
            <Expiring status={status} />
            <FanOutAlarms alarms={status.fanOutAlarms ?? []} />
            <Stages status={status} />
            <Sources status={status} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

/** Whether the log of accesses can be trusted, where it cannot. */
function AuditLogWrong({ status: { auditLog } }: { status: Status }) {
  const sees = readsAccesses(useUser()?.role);
  if (auditLog.state !== 'wrong' && auditLog.state !== 'refused') return null;
  return (
    <Notice
      tone="bad"
      title={auditLog.state === 'wrong' ? 'The audit log is not what it was.' : 'The audit log is signed no more.'}
    >
      {auditLog.problem} {sees && <Link to="/audit">Audit log</Link>}
    </Notice>
  );
}

function DestinationsDown({ status }: { status: Status }) {
  return status.destinationsDown.map(({ key, name, since, reason }) => (
    <Notice key={key} tone="bad" title={`${name} takes no messages since ${formatDateTime(since)}.`}>
      {reason}
    </Notice>
  ));
}

function RoutesRemoved({ status }: { status: Status }) {
  return (status.routesRemoved ?? []).map(({ key, name, route, since, withdrawn }) => (
    <Notice
      key={`${key} ${route}`}
      tone="warn"
      title={`The route ${route} of ${name} is gone since ${formatDateTime(since)}: ${count(withdrawn)} deliveries were withdrawn.`}
    >
      A route of the same name is told what they would have told, as it is then.
    </Notice>
  ));
}

function ConnectorsFailing({ status }: { status: Status }) {
  return (status.connectorsFailing ?? []).map(({ key, error, since }) => (
    <Notice
      key={key}
      tone="bad"
      title={`The connector ${key} ${since ? `fails since ${formatDateTime(since)}` : 'has never succeeded'}.`}
    >
      {error} <Link to="/connectors">Connectors</Link>
    </Notice>
  ));
}

function RevocationSilent({ status }: { status: Status }) {
  return (status.revocationSilent ?? []).map(({ address, since, reason }) => (
    <Notice
      key={address}
      tone="bad"
      title={`Whether certificates are revoked cannot be learned since ${formatDateTime(since)}: ${address} does not answer.`}
    >
      {reason} Where a certificate needs its answer, connections and mail are refused until it is there; deliveries
      wait.
    </Notice>
  ));
}

function CertificatesEnding({ status }: { status: Status }) {
  return status.certificatesEnding.map(({ what, participant, subject, expires, state }) => (
    <Notice
      key={`${what} ${participant} ${subject}`}
      tone={state === 'soon' ? 'warn' : 'bad'}
      title={
        expires === undefined
          ? 'A certificate cannot be read.'
          : `A certificate ${state === 'soon' ? 'ends' : 'ended'} on ${formatDateTime(expires)}.`
      }
    >
      {participant === undefined ? what : `${participant}: ${what}`} ({subject})
    </Notice>
  ));
}

function Expiring({ status }: { status: Status }) {
  // Certificates are told of above.
  const agreements = (status.expiring ?? []).filter(({ what }) => what === 'agreement');
  return agreements.map(({ participant, what, until }) => {
    const isOver = new Date(until) < new Date();
    return (
      <Notice
        key={`${participant} ${what}`}
        tone={isOver ? 'bad' : 'warn'}
        title={`The ${what} of ${participant} ${isOver ? 'ended' : 'ends'} on ${formatDateTime(until)}.`}
      >
        <Link to="/participants/$key" params={{ key: participant }}>
          Open the organisation
        </Link>
      </Notice>
    );
  });
}

function Stages({ status }: { status: Status }) {
  const seesDeliveries = readsDeliveries(useUser()?.role);
  const deliveries = (state: string) => (seesDeliveries ? `/deliveries?state=${state}` : undefined);
  const stages: {
    title: string;
    figures: { label: string; value: number; bad?: boolean; to?: string | undefined }[];
  }[] = [
    {
      title: 'Inbox',
      figures: [
        { label: 'messages received', value: status.received, to: '/messages' },
        { label: 'processed', value: status.processed, to: '/messages?state=processed' },
        { label: 'waiting', value: status.waiting, to: '/messages?state=received' },
        { label: 'failed', value: status.failed, bad: true, to: '/messages?state=failed' },
        { label: 'dead letters', value: status.dead, bad: true, to: '/messages?state=dead' },
        { label: 'refused', value: status.refused, bad: true, to: '/messages?state=refused' },
        { label: 'with content that cannot be right', value: status.questionable, bad: true },
      ],
    },
    {
      title: 'Record',
      figures: [
        { label: 'resources', value: status.resources },
        { label: 'source fields not mapped', value: status.notMapped },
      ],
    },
    {
      title: 'Person index',
      figures: [
        { label: 'persons', value: status.persons },
        { label: 'source records', value: status.sourcePatients },
        { label: 'reviews open', value: status.reviewsOpen, to: '/reviews' },
      ],
    },
    {
      title: 'Outbox',
      figures: [
        { label: 'delivered', value: status.delivered },
        { label: 'waiting to be delivered', value: status.deliveriesWaiting, to: deliveries('waiting') },
        { label: 'given up', value: status.deliveriesDead, bad: true, to: deliveries('dead') },
        { label: 'accepted, outcome awaited', value: status.deliveriesAccepted },
        { label: 'told by another path already', value: status.deliveriesAlready },
        { label: 'acknowledgements without a way to their sender', value: status.acknowledgementsKept, bad: true },
      ],
    },
  ];
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
      {stages.map(({ title, figures }) => (
        <section key={title} className="panel">
          <h2>{title}</h2>
          <dl style={{ margin: 0 }}>
            {figures.map(({ label, value, bad, to }) => (
              <div
                key={label}
                style={{ display: 'flex', justifyContent: 'space-between', gap: '0.6rem', padding: '0.15rem 0' }}
              >
                <dt className="quiet">{to ? <Link to={to}>{label}</Link> : label}</dt>
                <dd
                  style={{
                    margin: 0,
                    fontWeight: 650,
                    fontVariantNumeric: 'tabular-nums',
                    color: bad && value > 0 ? 'var(--mantine-color-error)' : undefined,
                  }}
                >
                  {count(value)}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </SimpleGrid>
  );
}

function Sources({ status }: { status: Status }) {
  return (
    <section className="panel" aria-labelledby="sources-title">
      <h2 id="sources-title">Sources</h2>
      {status.sources.length === 0 ? (
        <p className="quiet small">No organisation has sent anything yet.</p>
      ) : (
        <table className="facts">
          <thead>
            <tr>
              <th scope="col">Organisation</th>
              <th scope="col" style={{ textAlign: 'right' }}>
                Messages received
              </th>
              <th scope="col">Last one</th>
            </tr>
          </thead>
          <tbody>
            {status.sources.map((source) => (
              <tr key={source.key}>
                <td>
                  <Link to="/messages" search={{ source: source.key }}>
                    {source.name}
                  </Link>
                </td>
                <td className="number">{count(source.received)}</td>
                <td>{formatDateTime(source.lastAt) || 'never'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
