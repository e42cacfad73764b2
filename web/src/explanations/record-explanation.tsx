/** What an organisation would see of a record, and why: by kind of data, each with its reasons. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { GivenConsents, RecordExplanation } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { TYPE_WORDS } from '../consents/type-words.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { AskedAccessFields, nobodyAsked, queryOf } from './asked-access.tsx';

const OTHER_WORDS: { [type: string]: string } = {
  Account: 'accounts',
  Binary: 'contents of documents',
  CarePlan: 'care plans',
  CareTeam: 'care teams',
  Composition: 'documents',
  List: 'lists',
  Patient: 'who the person is',
  Provenance: 'where facts came from',
  ServiceRequest: 'orders',
  Specimen: 'specimens',
};

export function WhatTheySee({ patient, organizations }: { patient: string } & Pick<GivenConsents, 'organizations'>) {
  const [asked, setAsked] = useState(nobodyAsked);
  return (
    <section className="panel" aria-labelledby="what-they-see">
      <h2 id="what-they-see">What would they see, and why?</h2>
      <AskedAccessFields organizations={organizations} asked={asked} onChange={setAsked} />
      {asked.organization !== '' && <Reasons patient={patient} query={queryOf(asked)} />}
    </section>
  );
}

function Reasons({ patient, query: asked }: { patient: string; query: string }) {
  const query = useQuery({
    queryKey: ['consent-preview', patient, 'why', asked],
    queryFn: ({ signal }) =>
      getJson<RecordExplanation>(`/api/persons/${encodeURIComponent(patient)}/access-explanation?${asked}`, signal),
    staleTime: 0,
  });
  return (
    <Loaded query={query} what="what they would see">
      {({ types, notice }) => (
        <div role="status" aria-live="polite">
          <ul style={{ listStyle: 'none', margin: '0.6rem 0', padding: 0 }}>
            {types.map(({ type, all, visible, reasons }) => (
              <li key={type} data-type={type} style={{ borderTop: '1px solid var(--line)', padding: '0.4rem 0' }}>
                <Mark tone={visible === all ? 'good' : visible === 0 ? 'bad' : 'warn'}>
                  {visible} of {all}
                </Mark>{' '}
                <strong>{TYPE_WORDS[type] ?? OTHER_WORDS[type] ?? type}</strong>
                {reasons.map(({ words, count }) => (
                  <div key={words} className="small" style={{ overflowWrap: 'anywhere' }}>
                    {reasons.length > 1 && <span className="quiet">{count}: </span>}
                    {words}
                  </div>
                ))}
              </li>
            ))}
          </ul>
          <Text size="sm" className="quiet">
            {notice}
          </Text>
        </div>
      )}
    </Loaded>
  );
}
