/** Deciding who may see a record: the rule, its exceptions, and what the decision says before it is saved. */
import { Button, Checkbox, Group, Radio, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ConsentChoice, GivenConsent, GivenConsents } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';
import { choiceWords } from './choice-words.ts';
import { consentsKey } from './consents-page.tsx';
import { ExceptionFields } from './exception-fields.tsx';
import { Preview } from './preview.tsx';

const RULES = {
  everyone: 'Everyone who treats me',
  except: 'Everyone who treats me, except …',
  nobody: 'Nobody',
  only: 'Nobody, except …',
} as const;

type Rule = keyof typeof RULES;

/** An exception as it is typed; the number only tells it from others. */
export type TypedException = Omit<ConsentChoice, 'effect' | 'exceptions'> & { number: number };

export function DecideForm({
  patient,
  organizations,
  active,
  proof,
}: { patient: string; active: GivenConsent[]; proof: string | undefined } & Pick<GivenConsents, 'organizations'>) {
  const client = useQueryClient();
  const isOwn = useUser()?.role === 'patient';
  const [rule, setRule] = useState<Rule>();
  const [exceptions, setExceptions] = useState<TypedException[]>([{ number: 0 }]);
  const [replaces, setReplaces] = useState(true);
  const choice = rule && choiceOf(rule, exceptions);
  const names = new Map(organizations.map(({ key, name }) => [key, name]));
  const path = `/api/patients/${encodeURIComponent(patient)}/consents`;
  const evidence = proof === undefined ? {} : { evidence: proof };
  const save = useMutation({
    mutationFn: () =>
      postJson<GivenConsent>(path, {
        choice,
        ...evidence,
        ...(replaces ? { replaces: active.map(({ id }) => id) } : {}),
      }),
    onSuccess: () => {
      setRule(undefined);
      setExceptions([{ number: 0 }]);
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: consentsKey(patient) }),
        client.invalidateQueries({ queryKey: ['consent-preview', patient] }),
      ]),
  });
  const hasExceptions = rule === 'except' || rule === 'only';
  const lacksException = hasExceptions && exceptions.every((one) => Object.keys(one).length === 1);
  return (
    <section className="panel" aria-labelledby="decide-title">
      <h2 id="decide-title">Decide</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (choice && !save.isPending) save.mutate();
        }}
      >
        <Stack gap="md">
          <Radio.Group
            label="Who may see the record"
            value={rule ?? ''}
            onChange={(value) => {
              save.reset();
              setRule(value as Rule);
            }}
          >
            <Stack gap={8} mt={6}>
              {Object.entries(RULES).map(([value, label]) => (
                <Radio
                  key={value}
                  value={value}
                  label={isOwn ? label : label.replace('treats me', 'treats the person')}
                />
              ))}
            </Stack>
          </Radio.Group>
          {hasExceptions && (
            <>
              {exceptions.map((exception) => (
                <ExceptionFields
                  key={exception.number}
                  effect={rule === 'only' ? 'permit' : 'deny'}
                  exception={exception}
                  organizations={organizations}
                  onChange={(next) => setExceptions(exceptions.map((one) => (one.number === next.number ? next : one)))}
                  onRemove={
                    exceptions.length > 1
                      ? () => setExceptions(exceptions.filter((one) => one !== exception))
                      : undefined
                  }
                />
              ))}
              <Group>
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => setExceptions([...exceptions, { number: exceptions.at(-1)!.number + 1 }])}
                >
                  Add another exception
                </Button>
              </Group>
            </>
          )}
          {active.length > 0 && choice && (
            <Checkbox
              label="It takes the place of what holds now"
              description="Otherwise both hold, and where they differ the refusal counts."
              checked={replaces}
              onChange={(event) => setReplaces(event.currentTarget.checked)}
            />
          )}
          {choice && !lacksException && (
            <div role="status" aria-live="polite">
              <Notice tone="info" title="You decide:">
                {choiceWords(choice, names).map((sentence) => (
                  <div key={sentence}>{sentence}</div>
                ))}
              </Notice>
            </div>
          )}
          {choice && !lacksException && (replaces || active.length === 0) && (
            <Preview patient={patient} organizations={organizations} choice={choice} />
          )}
          {save.isError && (
            <Notice tone="bad" title="Nothing was saved.">
              {save.error.message} What holds is shown above.
            </Notice>
          )}
          {save.isSuccess && !rule && (
            <Notice tone="good" title="Saved.">
              It holds at once, everywhere.
            </Notice>
          )}
          <Group>
            <Button type="submit" disabled={!choice || lacksException || proof === ''} loading={save.isPending}>
              Save; it holds at once
            </Button>
          </Group>
          {proof === '' && (
            <Text size="sm" className="quiet">
              Say first, at the top, what shows that the person said so.
            </Text>
          )}
        </Stack>
      </form>
    </section>
  );
}

function choiceOf(rule: Rule, typed: readonly TypedException[]): ConsentChoice {
  if (rule === 'everyone') return { effect: 'permit', purposes: ['TREAT'] };
  if (rule === 'nobody') return { effect: 'deny' };
  const effect = rule === 'only' ? 'permit' : 'deny';
  const exceptions = typed
    .map(({ number: _, ...limits }): ConsentChoice => ({ effect, ...limits }))
    .filter((exception) => Object.keys(exception).length > 1);
  if (rule === 'only') return { effect: 'deny', exceptions };
  // Closed but for treatment, so that what is excepted is closed whatever else it is asked for.
  return { effect: 'deny', exceptions: [{ effect: 'permit', purposes: ['TREAT'], exceptions }] };
}
