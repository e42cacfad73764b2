/** Where patients and those who act for others begin: their own record at once, or a choice of those they may see. */
import { Group, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Navigate } from '@tanstack/react-router';
import type { Binding, Relation } from '../api/contract.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { useUser } from '../session/session.ts';
import { bindingsQuery } from './bindings-query.ts';

export const RELATION_WORDS: Record<Relation, string> = {
  self: 'The person itself',
  parent: 'Parent',
  guardian: 'Guardian',
  carer: 'Carer',
  other: 'Somebody else the person chose',
};

export function MinePage() {
  const role = useUser()?.role;
  useTitle(role === 'proxy' ? 'Those I act for' : 'My record');
  const query = useQuery(bindingsQuery);
  return (
    <Loaded query={query} what="whose record you may see">
      {(bindings) =>
        role === 'patient' && bindings.length === 1 ? (
          <Navigate to="/people/$id" params={{ id: bindings[0]!.patient }} replace />
        ) : (
          <Stack gap="md">
            <Title order={1}>{role === 'proxy' ? 'Those I act for' : 'My record'}</Title>
            {bindings.length === 0 && (
              <Notice title="No record yet.">
                This account stands for nobody, or no longer. Ask those who treat you for an invitation.
              </Notice>
            )}
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {bindings.map((binding) => (
                <Represented key={binding.id} binding={binding} />
              ))}
            </Stack>
          </Stack>
        )
      }
    </Loaded>
  );
}

function Represented({ binding: { patient, relation, until } }: { binding: Binding }) {
  return (
    <li className="panel">
      <PatientName id={patient} />
      <div className="small quiet">
        You: {RELATION_WORDS[relation].toLowerCase()}
        {until && `, until ${formatDate(until)}`}
      </div>
      <Group gap="md" mt="xs">
        <Link to="/people/$id" params={{ id: patient }}>
          Open the record
        </Link>
        <Link to="/consents/$patient" params={{ patient }}>
          Who may see it
        </Link>
        <Link to="/share/$patient" params={{ patient }}>
          Share it by a link
        </Link>
        <Link to="/accesses/$patient" params={{ patient }}>
          Who looked at it
        </Link>
      </Group>
    </li>
  );
}
