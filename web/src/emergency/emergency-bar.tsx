/** On a chart: beginning an emergency access, or what is under way, how long, and ending it. */
import { Button, Group } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Emergency } from '../api/contract.ts';
import { deleteJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { BeginEmergency } from './begin-emergency.tsx';
import { emergencyQuery, minutesLeft, useEmergency } from './emergency-query.ts';
import { LookUp } from './look-up.tsx';

/** @param patient whose chart is shown; undefined where none is */
export function EmergencyBar({ patient }: { patient?: string }) {
  const state = useEmergency();
  const [isAsking, setIsAsking] = useState(false);
  if (!state || (!state.mayBegin && !state.underWay)) return null;
  const { underWay, mayBegin } = state;
  return (
    <>
      {underWay && <UnderWay emergency={underWay} isHere={underWay.patient === patient} />}
      {mayBegin && patient && underWay?.patient !== patient && (
        <Group justify="flex-end">
          <Button size="compact-sm" variant="default" className="danger" onClick={() => setIsAsking(true)}>
            Emergency access
          </Button>
        </Group>
      )}
      {mayBegin && !patient && !underWay && (
        <Notice>
          <Group justify="space-between" gap="xs">
            <span style={{ flex: '1 1 16rem' }}>
              In an emergency, open the person and choose Emergency access there: it shows what the person has closed.
              Who is not found here may have closed everything.
            </span>
            <Button size="compact-sm" variant="default" className="danger" onClick={() => setIsAsking(true)}>
              Look up for an emergency
            </Button>
          </Group>
        </Notice>
      )}
      {isAsking && !patient && <LookUp reasons={state.reasons} close={() => setIsAsking(false)} />}
      {isAsking && patient && (
        <BeginEmergency patient={patient} reasons={state.reasons} close={() => setIsAsking(false)} />
      )}
    </>
  );
}

function UnderWay({ emergency, isHere }: { emergency: Emergency; isHere: boolean }) {
  const client = useQueryClient();
  const [now, setNow] = useState(Date.now);
  const left = minutesLeft(emergency, now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (left === 0) void client.invalidateQueries({ queryKey: emergencyQuery.queryKey });
  }, [left, client]);
  const end = useMutation({
    mutationFn: () => deleteJson<void>(`/api/emergency/${emergency.id}`),
    onSettled: () => client.invalidateQueries({ queryKey: emergencyQuery.queryKey }),
  });
  return (
    <section aria-label="Emergency access">
      <Notice tone="warn" title="Emergency access under way.">
        <Group justify="space-between" gap="xs">
          <span>
            {isHere ? 'You see what this person has closed, except psychotherapy notes' : 'It is for another person'};{' '}
            {left === 1 ? '1 minute' : `${left} minutes`} left. Every look is recorded and reviewed.{' '}
            {!isHere && (
              <Link to="/people/$id" params={{ id: emergency.patient }} style={{ color: 'inherit' }}>
                Open that record
              </Link>
            )}
          </span>
          <Button size="compact-sm" variant="default" onClick={() => end.mutate()} loading={end.isPending}>
            End now
          </Button>
        </Group>
        {end.isError && <div role="alert">Not ended: {end.error.message}</div>}
      </Notice>
    </section>
  );
}
