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
  const {
    who,
    role,
    organization,
    client,
    recipient,
    purpose,
    isEmergency,
    isRefused,
    relationship,
    what,
    reason,
    at,
  } = access;
  return (
    <li className="panel" data-access={access.id}>
      <div style={{ overflowWrap: 'anywhere' }}>
        <strong>{who?.name ?? 'Somebody'}</strong>{' '}
        {recipient === undefined && (
          <>
            <span className="quiet">({roleWords[role] ?? role.replaceAll('-', ' ')})</span> of {organization.name}{' '}
          </>
        )}
        <strong>{doneWords(access)}</strong>
        {recipient && ` to ${recipient.name}`}
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
      {reason !== undefined && <div style={{ overflowWrap: 'anywhere' }}>“{reason}”</div>}
      <Button
        mt="xs"
        size="compact-sm"
        variant="default"
        aria-expanded={isOpen}
        onClick={() => setOpen((before) => !before)}
      >
        {isOpen ? 'Close the proof' : 'Proof'}
      </Button>
      {isOpen && what !== undefined && (
        <div className="small quiet" style={{ overflowWrap: 'anywhere', marginTop: '0.5rem' }}>
          Asked for: <code>{what}</code>
        </div>
      )}
      {isOpen && <ProofView patient={patient} access={access.id} />}
    </li>
  );
}
