/** A link to the readable view of one resource of the record; only its words for a role that reads no records. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { readsRecords, useUser } from '../session/session.ts';

export function ResourceLink({
  reference,
  version,
  path,
  children,
}: {
  /** `Type/id` */
  reference: string;
  /** The version to show; the newest when there is none. */
  version?: string;
  /** The element to set off, such as `name[0].family`. */
  path?: string;
  children: ReactNode;
}) {
  const role = useUser()?.role;
  if (!readsRecords(role)) return children;
  const [type = '', id = ''] = reference.split('/');
  return (
    <Link
      to="/resources/$type/$id"
      params={{ type, id }}
      search={{ version, path: path || undefined }}
      style={{ color: 'var(--mantine-color-anchor)' }}
    >
      {children}
    </Link>
  );
}
