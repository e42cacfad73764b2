/** The rules by which elements are hidden: which, from whom, and how a resource looks by them. */
import { Button, Checkbox, Group, MultiSelect, Select, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RedactableElement } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { asSentence, KIND_WORDS, KINDS, PURPOSE_WORDS } from '../consents/kinds.ts';
import { redactionWords } from './policy-words.ts';
import { RedactionPreview } from './redaction-preview.tsx';
import { REDACTED_ROLES, type TypedRedaction } from './redaction-rules.ts';

export function RedactionFields({
  rules,
  organizations,
  onChange,
}: {
  rules: readonly TypedRedaction[];
  /** Those on the network, by their keys. */
  organizations: readonly { value: string; label: string }[];
  onChange: (rules: TypedRedaction[]) => void;
}) {
  const add = () => {
    const number = Math.max(-1, ...rules.map((rule) => rule.number)) + 1;
    onChange([...rules, { number, elements: [] }]);
  };
  return (
    <>
      {rules.map((rule) => (
        <Rule
          key={rule.number}
          rule={rule}
          organizations={organizations}
          onChange={(next) => onChange(rules.map((one) => (one === rule ? next : one)))}
          onRemove={() => onChange(rules.filter((one) => one !== rule))}
        />
      ))}
      <Group>
        <Button variant="default" size="compact-sm" onClick={add}>
          Hide elements
        </Button>
      </Group>
      {rules.some(({ elements }) => elements.length > 0) && (
        <RedactionPreview rules={rules} organizations={organizations} />
      )}
    </>
  );
}

function Rule({
  rule,
  organizations,
  onChange,
  onRemove,
}: {
  rule: TypedRedaction;
  organizations: readonly { value: string; label: string }[];
  onChange: (rule: TypedRedaction) => void;
  onRemove: () => void;
}) {
  const { elements, purposes, roles, organizations: named, labels, keep } = rule;
  const [type, setType] = useState(elements[0]?.split('.')[0] ?? 'Patient');
  const types = useQuery({
    queryKey: ['redactable-types'],
    queryFn: ({ signal }) => getJson<{ types: string[] }>('/api/redactable-elements', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const known = useQuery({
    queryKey: ['redactable-elements', type],
    queryFn: ({ signal }) =>
      getJson<{ elements: RedactableElement[] }>(`/api/redactable-elements?type=${type}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const dates = new Set(known.data?.elements.filter(({ isDate }) => isDate).map(({ path }) => path));
  // What is chosen of other types stays, and is shown beside.
  const paths = [...new Set([...elements, ...(known.data?.elements.map(({ path }) => path) ?? [])])];
  const mayKeepYear = keep === 'year' || (elements.length > 0 && elements.every((path) => dates.has(path)));
  const limited = (name: 'purposes' | 'roles' | 'organizations' | 'labels', chosen: string[]) => {
    const { [name]: _, ...rest } = rule;
    onChange(chosen.length > 0 ? ({ ...rest, [name]: chosen } as TypedRedaction) : rest);
  };
  return (
    <fieldset style={{ border: '1px solid var(--line)', borderRadius: 4, minWidth: 0 }}>
      <legend className="small" style={{ overflowWrap: 'anywhere' }}>
        {elements.length === 0 ? 'Elements that are hidden' : redactionWords(rule)}
      </legend>
      <Stack gap="sm">
        <Group grow preventGrowOverflow={false} align="flex-start">
          <Select
            label="Kind of resource"
            searchable
            allowDeselect={false}
            maw={260}
            data={types.data?.types ?? [type]}
            value={type}
            onChange={(chosen) => setType(chosen ?? type)}
          />
          <MultiSelect
            label="Elements"
            description="Of its definition, save what it is known by and what has to be there"
            required
            searchable
            limit={200}
            data={paths}
            value={elements}
            onChange={(chosen) => {
              const { keep: _, ...rest } = rule;
              const stays = keep === 'year' && chosen.every((path) => elements.includes(path) || dates.has(path));
              onChange(stays ? { ...rule, elements: chosen } : { ...rest, elements: chosen });
            }}
          />
        </Group>
        {mayKeepYear && (
          <Checkbox
            label="The year is given out"
            checked={keep === 'year'}
            onChange={(event) => {
              const { keep: _, ...rest } = rule;
              onChange(event.currentTarget.checked ? { ...rule, keep: 'year' } : rest);
            }}
          />
        )}
        <Group grow preventGrowOverflow={false} align="flex-start">
          <MultiSelect
            label="From whom"
            description="None: from everybody"
            searchable
            data={REDACTED_ROLES}
            value={roles ?? []}
            onChange={(chosen) => limited('roles', chosen)}
          />
          <MultiSelect
            label="Asked for"
            description="None: all but the person’s own request and emergencies"
            searchable
            data={Object.entries(PURPOSE_WORDS).map(([value, text]) => ({ value, label: asSentence(text) }))}
            value={purposes ?? []}
            onChange={(chosen) => limited('purposes', chosen)}
          />
        </Group>
        <Group grow preventGrowOverflow={false} align="flex-start">
          <MultiSelect
            label="Of which organisations"
            description="None: of all"
            searchable
            data={organizations}
            value={named ?? []}
            onChange={(chosen) => limited('organizations', chosen)}
          />
          <MultiSelect
            label="Only where it is about"
            description="None: whatever it is about"
            searchable
            data={KINDS.map((value) => ({ value, label: asSentence(KIND_WORDS[value]) }))}
            value={labels ?? []}
            onChange={(chosen) => limited('labels', chosen)}
          />
        </Group>
        <Group>
          <Button variant="default" size="compact-sm" onClick={onRemove}>
            Hide these no more
          </Button>
        </Group>
      </Stack>
    </fieldset>
  );
}
