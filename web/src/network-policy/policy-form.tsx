/** Changing the network's policy: the model, the time zone, the rules, and why. */
import {
  Autocomplete,
  Button,
  Checkbox,
  Group,
  MultiSelect,
  NativeSelect,
  Radio,
  Stack,
  TextInput,
} from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { PolicyRule, Standing, WrittenPolicy } from '../api/contract.ts';
import { getJson, putJson } from '../api/request.ts';
import { asSentence, KIND_WORDS, KINDS, PURPOSE_WORDS } from '../consents/kinds.ts';
import { Notice } from '../parts/notice.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { CareFields, usualCare } from './care-fields.tsx';
import { networkPolicyKey } from './network-policy-page.tsx';
import { agreementWords, modelWords, ruleWords } from './policy-words.ts';
import { RedactionFields } from './redaction-fields.tsx';
import { choosable, type TypedRedaction, written } from './redaction-rules.ts';
import { noRelationship, RelationshipFields, type TypedRelationship } from './relationship-fields.tsx';

/** A rule as it is typed; the number only tells it from others. */
type Typed = PolicyRule & { number: number };

export function PolicyForm({
  version,
  policy,
  onDone,
}: {
  version: number;
  policy: WrittenPolicy;
  onDone: () => void;
}) {
  const cache = useQueryClient();
  const [model, setModel] = useState(policy.model);
  const [zone, setZone] = useState(policy.zone);
  const [rules, setRules] = useState<Typed[]>(() => (policy.rules ?? []).map((rule, number) => ({ ...rule, number })));
  const [redactions, setRedactions] = useState<TypedRedaction[]>(() =>
    (policy.redactions ?? []).map((rule, number) => ({ ...rule, number })),
  );
  const standings = useQuery({
    queryKey: ['standings'],
    queryFn: ({ signal }) => getJson<{ standings: Standing[] }>('/api/standings', signal),
  });
  const [needsAgreement, setNeedsAgreement] = useState(policy.requireAgreements ?? false);
  const [relationship, setRelationship] = useState<TypedRelationship>(policy.relationship ?? noRelationship);
  const isForNothing = relationship.mode !== 'off' && relationship.purposes?.length === 0;
  const [care, setCare] = useState({ ...usualCare, ...policy.care });
  const [reason, setReason] = useState('');
  const put = useMutation({
    mutationFn: () =>
      putJson<{ version: number }>('/api/network-policy', {
        version,
        reason: reason.trim(),
        // What this form does not show stays as it is.
        policy: {
          ...policy,
          model,
          zone: zone.trim(),
          rules: rules.map(({ number: _, ...rule }) => rule),
          redactions: redactions.length > 0 ? redactions.map(written) : undefined,
          requireAgreements: needsAgreement || undefined,
          relationship: relationship.mode === 'off' ? undefined : relationship,
          care,
        },
      }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: networkPolicyKey });
      onDone();
    },
  });
  const change = (next: Typed) => setRules(rules.map((rule) => (rule.number === next.number ? next : rule)));
  const add = () => {
    const number = Math.max(-1, ...rules.map((rule) => rule.number)) + 1;
    setRules([...rules, { number, label: 'mentalHealth', mode: 'permission' }]);
  };
  return (
    <section className="panel" aria-labelledby="change-policy">
      <h2 id="change-policy">Change the policy</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!put.isPending) put.mutate();
        }}
      >
        <Stack gap="md">
          <Radio.Group
            label="Where a person has not decided"
            value={model}
            onChange={(value) => setModel(value === 'opt-in' ? 'opt-in' : 'opt-out')}
          >
            <Stack gap={6} mt={6}>
              <Radio value="opt-out" label={modelWords('opt-out')} />
              <Radio value="opt-in" label={modelWords('opt-in')} />
            </Stack>
          </Radio.Group>
          <Autocomplete
            label="Time zone of days"
            description="In which a consent’s first and last day begin and end"
            required
            maw={360}
            limit={50}
            data={Intl.supportedValuesOf('timeZone')}
            value={zone}
            onChange={setZone}
          />
          <Checkbox
            label={agreementWords(true)}
            checked={needsAgreement}
            onChange={(event) => setNeedsAgreement(event.currentTarget.checked)}
          />
          <RelationshipFields value={relationship} onChange={setRelationship} />
          <CareFields value={care} onChange={setCare} />
          {rules.map((rule) => (
            <RuleFields
              key={rule.number}
              rule={rule}
              onChange={change}
              onRemove={() => setRules(rules.filter((one) => one !== rule))}
            />
          ))}
          <Group>
            <Button variant="default" size="compact-sm" onClick={add}>
              Add a rule for a kind of data
            </Button>
          </Group>
          <RedactionFields
            rules={redactions}
            organizations={choosable(standings.data?.standings ?? [], policy.redactions ?? [])}
            onChange={setRedactions}
          />
          <ReasonField value={reason} onChange={setReason} />
          {put.isError && (
            <Notice tone="bad" title="Not changed.">
              {put.error.message}
            </Notice>
          )}
          <Group>
            <Button
              type="submit"
              disabled={
                reason.trim() === '' || isForNothing || redactions.some(({ elements }) => elements.length === 0)
              }
              loading={put.isPending}
            >
              Put it in force
            </Button>
            <Button variant="default" onClick={onDone}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}

function RuleFields({
  rule,
  onChange,
  onRemove,
}: {
  rule: Typed;
  onChange: (rule: Typed) => void;
  onRemove: () => void;
}) {
  const { label, mode, purposes, states, proxyFromAge } = rule;
  const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');
  const without = (name: 'purposes' | 'states' | 'proxyFromAge') => {
    const { [name]: _, ...rest } = rule;
    return rest as Typed;
  };
  return (
    <fieldset style={{ border: '1px solid var(--line)', borderRadius: 4, minWidth: 0 }}>
      <legend className="small">{ruleWords(rule)}</legend>
      <Stack gap="sm">
        <Group grow preventGrowOverflow={false} align="flex-start">
          <NativeSelect
            label="Kind of data"
            value={label}
            onChange={(event) => onChange({ ...rule, label: event.currentTarget.value as PolicyRule['label'] })}
            data={[
              ...KINDS.map((value) => ({ value, label: asSentence(KIND_WORDS[value]) })),
              { value: 'unlabelled', label: 'What nobody has looked at yet' },
            ]}
          />
          <NativeSelect
            label="What holds for it"
            value={mode}
            onChange={(event) => onChange({ ...rule, mode: event.currentTarget.value as PolicyRule['mode'] })}
            data={[
              { value: 'permission', label: 'Needs the person’s permission' },
              { value: 'withheld', label: 'Is withheld' },
            ]}
          />
        </Group>
        <Group grow preventGrowOverflow={false} align="flex-start">
          <MultiSelect
            searchable
            label="Purposes"
            description="None: whatever it is asked for"
            value={purposes ?? []}
            onChange={(chosen) => onChange(chosen.length > 0 ? { ...rule, purposes: chosen } : without('purposes'))}
            data={Object.entries(PURPOSE_WORDS).map(([value, text]) => ({ value, label: asSentence(text) }))}
          />
          <TextInput
            label="States"
            description="Of the organisation that asks; none: all"
            defaultValue={states?.join(' ') ?? ''}
            onChange={(event) => {
              const chosen = words(event.currentTarget.value.toUpperCase());
              onChange(chosen.length > 0 ? { ...rule, states: chosen } : without('states'));
            }}
          />
          <NativeSelect
            label="Only towards those who act for"
            description="Somebody of this age to 17 years"
            value={proxyFromAge === undefined ? '' : String(proxyFromAge)}
            onChange={({ currentTarget: { value } }) =>
              onChange(value === '' ? without('proxyFromAge') : { ...rule, proxyFromAge: Number(value) })
            }
            data={[
              { value: '', label: 'Towards everybody' },
              ...Array.from({ length: 18 }, (_, age) => ({ value: String(age), label: `From ${age} years` })),
            ]}
          />
        </Group>
        <Group>
          <Button variant="default" size="compact-sm" onClick={onRemove}>
            Remove this rule
          </Button>
        </Group>
      </Stack>
    </fieldset>
  );
}
