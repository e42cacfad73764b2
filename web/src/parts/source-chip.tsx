/** Where a fact came from and when, with one click to the original message. */
import type { Resource } from '@medplum/fhirtypes';
import { Link } from '@tanstack/react-router';
import { formatDate, formatDateTime } from '../fhir/dates.ts';
import { sourceOf } from '../fhir/source.ts';
import { readsMessages, useUser } from '../session/session.ts';

export function SourceChip({ resource, date }: { resource: Resource; date?: string }) {
  const source = sourceOf(resource);
  const role = useUser()?.role;
  const received = source.storedAt ? `Stored ${formatDateTime(source.storedAt)}` : undefined;
  const when = date ? ` · ${formatDate(date)}` : '';
  if (!source.message || !readsMessages(role)) {
    return (
      <span className="source-chip" title={received}>
        {source.name}
        {when}
      </span>
    );
  }
  return (
    <span className="source-chip" title={received}>
      <Link
        to="/messages/$id"
        params={{ id: source.message }}
        style={{ color: 'var(--mantine-color-anchor)' }}
        aria-label={`${source.name}${when}: open the original message`}
      >
        {source.name}
      </Link>
      {when}
    </span>
  );
}

/** One chip a source: of several statements by one organisation the first (newest) is linked. */
export function SourceChips({
  resources,
  dateOf,
}: {
  resources: readonly Resource[];
  dateOf?: (r: never) => string | undefined;
}) {
  const first = new Map<string, Resource>();
  for (const resource of resources) {
    const { key, name } = sourceOf(resource);
    if (!first.has(key || name)) first.set(key || name, resource);
  }
  return (
    <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: '0 0.8rem' }}>
      {[...first].map(([key, resource]) => (
        <SourceChip key={key} resource={resource} date={dateOf?.(resource as never)} />
      ))}
    </span>
  );
}
