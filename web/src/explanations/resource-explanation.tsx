/** Why one resource is seen: by oneself, or, as the person it is about asks, by an organisation. Asked only when it is wanted. */
import { Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { GivenConsents, ResourceExplanation } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { useUser } from '../session/session.ts';
import { AskedAccessFields, nobodyAsked, queryOf } from './asked-access.tsx';

const LAYERS: Record<ResourceExplanation['layers'][number]['layer'], string> = {
  role: 'Role and purpose',
  compartment: 'Whose it is',
  label: 'Sensitive data',
  refusal: 'What the person refused',
  permission: 'What the person permitted',
};

/** @param reference `Observation/4711` @param patient id of the Patient whose it is */
export function WhySeen({ patient, reference }: { patient: string; reference: string }) {
  const role = useUser()?.role;
  const [isOpen, setIsOpen] = useState(false);
  if (role !== 'clinician' && role !== 'patient' && role !== 'proxy') return null;
  const isOneself = role === 'clinician';
  return (
    <section className="panel" aria-labelledby="why-seen">
      <h2 id="why-seen">{isOneself ? 'Why do I see this?' : 'Who else sees this, and why?'}</h2>
      {!isOpen && (
        <Button size="compact-sm" variant="default" onClick={() => setIsOpen(true)}>
          Explain
        </Button>
      )}
      {isOpen && isOneself && <Layers patient={patient} query={`resource=${reference}`} />}
      {isOpen && !isOneself && <ByOrganisation patient={patient} reference={reference} />}
    </section>
  );
}

function ByOrganisation({ patient, reference }: { patient: string; reference: string }) {
  const [asked, setAsked] = useState(nobodyAsked);
  const query = useQuery({
    queryKey: ['consents', patient],
    queryFn: ({ signal }) => getJson<GivenConsents>(`/api/patients/${encodeURIComponent(patient)}/consents`, signal),
  });
  return (
    <Loaded query={query} what="the organisations">
      {({ organizations }) => (
        <Stack gap="sm">
          <AskedAccessFields organizations={organizations} asked={asked} onChange={setAsked} />
          {asked.organization !== '' && (
            <Layers patient={patient} query={`${queryOf(asked)}&resource=${encodeURIComponent(reference)}`} />
          )}
        </Stack>
      )}
    </Loaded>
  );
}

function Layers({ patient, query: asked }: { patient: string; query: string }) {
  const query = useQuery({
    queryKey: ['access-explanation', patient, asked],
    queryFn: ({ signal }) =>
      getJson<ResourceExplanation>(`/api/persons/${encodeURIComponent(patient)}/access-explanation?${asked}`, signal),
    staleTime: 0,
  });
  return (
    <Loaded query={query} what="why it is seen">
      {({ isVisible, layers, notice }) => (
        <div role="status" aria-live="polite">
          <Mark tone={isVisible ? 'good' : 'bad'}>{isVisible ? 'It is seen' : 'It is not seen'}</Mark>
          <dl style={{ margin: '0.5rem 0' }}>
            {layers.map(({ layer, passes, words }) => (
              <div key={layer} data-layer={layer} style={{ borderTop: '1px solid var(--line)', padding: '0.3rem 0' }}>
                <dt className="small quiet">
                  {LAYERS[layer]} {!passes && <Mark tone="bad">Hides it</Mark>}
                </dt>
                <dd style={{ margin: 0, overflowWrap: 'anywhere' }}>{words}</dd>
              </div>
            ))}
          </dl>
          <Text size="sm" className="quiet">
            {notice}
          </Text>
        </div>
      )}
    </Loaded>
  );
}
