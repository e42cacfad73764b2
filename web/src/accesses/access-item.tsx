/** One access, in words, and its proof where that is asked for. */
import { doneWords, purposeWords, roleWords } from '@causeway/access/entry-words';
import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import type { SeenAccess } from '../api/contract.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { ProofView } from './proof-view.tsx';

export function AccessItem({ patient, access }: { patient: string; access: SeenAccess }) {
  const [isOpen, setOpen] = useState(false);
  const { who, role, organization, client, purpose, isEmergency, isRefused, relationship, what, reason, at } = access;
  return (
    <li className="panel" data-access={access.id}>
      <div style={{ overflowWrap: 'anywhere' }}>
        <strong>{who?.name ?? 'Somebody'}</strong>{' '}
        <span className="quiet">({roleWords[role] ?? role.replaceAll('-', ' ')})</span> of {organization.name}{' '}
        <strong>{doneWords(access)}</strong>
        {purpose && ` for ${purposeWords[purpose] ?? purpose}`}
        {client && `, by the app ${client.name}`}.
      </div>
      <Group gap="xs" mt={4}>
        <time dateTime={at} className="quiet">
          {formatDateTime(at)}
        </time>
        {isEmergency && <Mark tone="bad">Emergency</Mark>}
        {isRefused && <Mark tone="neutral">Refused: nothing was shown</Mark>}
        {relationship?.includes('none') && <Mark tone="warn">Nothing shows that they treat you</Mark>}
      </Group>
      {(reason ?? what) !== undefined && (
        <div className="small quiet" style={{ overflowWrap: 'anywhere' }}>
          {reason !== undefined && `“${reason}” `}
          {what !== undefined && <code>{what}</code>}
        </div>
      )}
      <Button
        mt="xs"
        size="compact-sm"
        variant="default"
        aria-expanded={isOpen}
        onClick={() => setOpen((before) => !before)}
      >
        {isOpen ? 'Close the proof' : 'Proof'}
      </Button>
      {isOpen && <ProofView patient={patient} access={access} />}
    </li>
  );
}
