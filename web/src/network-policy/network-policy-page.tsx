/** What the network has decided for everybody: the policy that holds, changing it with a reason, and what was before. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { NetworkPolicy, PolicyVersion } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { joined, PURPOSE_WORDS } from '../consents/kinds.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { careWords, usualCare } from './care-fields.tsx';
import { PolicyForm } from './policy-form.tsx';
import { agreementWords, modelWords, redactionWords, relationshipWords, ruleWords } from './policy-words.ts';

export const networkPolicyKey = ['network-policy'];

export function NetworkPolicyPage() {
  useTitle('Network policy');
  const query = useQuery({
    queryKey: networkPolicyKey,
    queryFn: ({ signal }) => getJson<NetworkPolicy>('/api/network-policy', signal),
  });
  return (
    <Stack gap="md">
      <Title order={1}>Network policy</Title>
      <Text maw={720}>
        What holds for every record, unless the person has decided otherwise. A change holds at once, on every hub of
        the network; the one before stays in the history.
      </Text>
      <Loaded query={query} what="the network’s policy">
        {(policy) => <Policy policy={policy} />}
      </Loaded>
    </Stack>
  );
}

function Policy({ policy: { version, isReadable, versions } }: { policy: NetworkPolicy }) {
  const [isChanging, setIsChanging] = useState(false);
  const [current, ...earlier] = versions;
  return (
    <>
      {!isReadable && (
        <Notice tone="bad" title="The policy that was stored last cannot be read.">
          Until it is changed, records are given out to nobody, save in emergencies.
        </Notice>
      )}
      {isChanging ? (
        <PolicyForm version={version} policy={current!.policy} onDone={() => setIsChanging(false)} />
      ) : (
        <section className="panel" aria-labelledby="policy-title">
          <Group justify="space-between" align="flex-start">
            <h2 id="policy-title" style={{ margin: 0 }}>
              What holds now
            </h2>
            <Button size="compact-sm" onClick={() => setIsChanging(true)}>
              Change
            </Button>
          </Group>
          <Version version={current!} />
        </section>
      )}
      {earlier.length > 0 && (
        <section className="panel" aria-labelledby="policy-history">
          <h2 id="policy-history">What held before</h2>
          <Stack gap="md" component="ol" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {earlier.map((each) => (
              <li key={each.version} style={{ borderTop: '1px solid var(--line)', paddingTop: '0.6rem' }}>
                <Version version={each} />
              </li>
            ))}
          </Stack>
        </section>
      )}
    </>
  );
}

function Version({ version: { at, by, reason, policy } }: { version: PolicyVersion }) {
  return (
    <>
      <ul style={{ margin: '0.4rem 0', paddingLeft: '1.1rem' }}>
        <li>{modelWords(policy.model)}</li>
        <li>Days and times without a zone are those of {policy.zone}.</li>
        <li>{agreementWords(policy.requireAgreements ?? false)}</li>
        <li>
          {relationshipWords(policy.relationship?.mode ?? 'off')}
          {policy.relationship &&
            ` This holds for ${joined((policy.relationship.purposes ?? ['TREAT']).map((code) => PURPOSE_WORDS[code]!))}. What counts is from ${policy.relationship.daysBack} days ago to ${policy.relationship.daysAhead} days ahead.`}
        </li>
        {careWords({ ...usualCare, ...policy.care }).map((words) => (
          <li key={words}>{words}</li>
        ))}
        {policy.rules?.map((rule) => (
          <li key={JSON.stringify(rule)}>{ruleWords(rule)}</li>
        ))}
        {policy.redactions?.map((redaction) => (
          <li key={JSON.stringify(redaction)} style={{ overflowWrap: 'anywhere' }}>
            {redactionWords(redaction)}
          </li>
        ))}
        {policy.rules?.length === 0 && <li>No kind of data has a rule of its own.</li>}
      </ul>
      <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
        {at ? `Decided ${formatDateTime(at)} by ${by}: ${reason}` : 'As the hub comes; nobody had decided anything.'}
      </Text>
    </>
  );
}
