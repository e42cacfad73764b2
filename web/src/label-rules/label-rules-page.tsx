/** What counts as sensitive: the codes that are labelled, by the hub's own table and by the network, and changing that. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LabelRules, LabelRulesVersion, LabelSet } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { asSentence, KIND_WORDS } from '../consents/kinds.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { useTitle } from '../parts/title.ts';
import { LabelRulesForm } from './label-rules-form.tsx';

export const labelRulesKey = ['label-rules'];
const workingMs = 2_000;
const restingMs = 30_000;

export function LabelRulesPage() {
  useTitle('What counts as sensitive');
  const query = useQuery({
    queryKey: labelRulesKey,
    queryFn: ({ signal }) => getJson<LabelRules>('/api/label-rules', signal),
    refetchInterval: ({ state }) => (isWorking(state.data) ? workingMs : restingMs),
  });
  return (
    <Stack gap="md">
      <Title order={1}>What counts as sensitive</Title>
      <Text maw={720}>
        A diagnosis, a test or a medicine is labelled by its code. The hub has a table of its own; the network adds
        codes to it. Who may see what is labelled is decided by the law, the network’s policy and the person.
      </Text>
      <Loaded query={query} what="what counts as sensitive">
        {(rules) => <Rules rules={rules} />}
      </Loaded>
    </Stack>
  );
}

function isWorking(rules: LabelRules | undefined): boolean {
  const latest = rules?.versions[0];
  return latest !== undefined && latest.finished === undefined;
}

function Rules({ rules }: { rules: LabelRules }) {
  const [isChanging, setIsChanging] = useState(false);
  const [latest, ...earlier] = rules.versions;
  if (isChanging) {
    return (
      <LabelRulesForm
        version={rules.version}
        sets={latest?.sets ?? []}
        labels={rules.labels.map(({ label }) => label)}
        onDone={() => setIsChanging(false)}
      />
    );
  }
  return (
    <>
      {latest && <LastRun version={latest} />}
      <section className="panel" aria-labelledby="rules-title">
        <Group justify="space-between" align="flex-start">
          <h2 id="rules-title" style={{ margin: 0 }}>
            What is labelled now
          </h2>
          <Button size="compact-sm" onClick={() => setIsChanging(true)}>
            Change
          </Button>
        </Group>
        <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: '0.6rem 0 0', padding: 0 }}>
          {rules.labels.map(({ label, tableSize }) => (
            <li key={label} style={{ borderTop: '1px solid var(--line)', paddingTop: '0.5rem' }}>
              <strong>{asSentence(KIND_WORDS[label])}</strong>
              <Text size="sm">
                {tableSize === 0
                  ? 'No code has it in the hub’s own table; sources and settings give it.'
                  : `${count(tableSize)} codes, and beginnings of codes, of the hub’s own table.`}
              </Text>
              {(latest?.sets ?? []).flatMap((set) =>
                set.label === label ? [<SetLine key={set.name} set={set} />] : [],
              )}
            </li>
          ))}
        </Stack>
      </section>
      {earlier.length > 0 && (
        <section className="panel" aria-labelledby="rules-history">
          <h2 id="rules-history">What was added before</h2>
          <Stack gap="md" component="ol" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {earlier.map((each) => (
              <li key={each.version} style={{ borderTop: '1px solid var(--line)', paddingTop: '0.6rem' }}>
                {each.sets.length === 0 && <Text size="sm">Nothing beside the hub’s own table.</Text>}
                {each.sets.map((set) => (
                  <SetLine key={set.name} set={set} isNamingKind />
                ))}
                <Decision version={each} />
              </li>
            ))}
          </Stack>
        </section>
      )}
    </>
  );
}

function SetLine({
  set: { label, name, valueSet, count: codes },
  isNamingKind,
}: {
  set: LabelSet;
  isNamingKind?: true;
}) {
  return (
    <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
      {isNamingKind && `${asSentence(KIND_WORDS[label])}: `}
      {`${name}, ${count(codes)} ${codes === 1 ? 'code' : 'codes'} added by the network`}
      {valueSet === undefined ? '.' : ` (value set ${valueSet}).`}
    </Text>
  );
}

/** How far what was stored before is labelled by the latest version. */
function LastRun({ version }: { version: LabelRulesVersion }) {
  const { done, total, changed, finished } = version;
  const others = `${count(changed)} of them ${changed === 1 ? 'has other labels' : 'have other labels'} since.`;
  return (
    <>
      {finished === undefined ? (
        <Notice tone="warn" title="What was stored before is being labelled anew.">
          {total === undefined
            ? 'It begins in a moment.'
            : `${count(Math.min(done, total))} of ${count(total)} stored versions are done; ${others}`}{' '}
          The others keep the labels that they have until their turn comes. What arrives now is labelled as below.
        </Notice>
      ) : (
        <Notice title={`Everything was labelled by this on ${formatDateTime(finished)}.`}>
          {`${count(total)} stored versions were gone through; ${others}`}
        </Notice>
      )}
      <Decision version={version} />
    </>
  );
}

function Decision({ version: { at, by, reason } }: { version: LabelRulesVersion }) {
  return (
    <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
      {`Decided ${formatDateTime(at)} by ${by === 'hub' ? 'the hub itself' : by}: ${reason}`}
    </Text>
  );
}
