/** Everything of one route, as a form: where it ends, what goes by it and when. */
import { Button, Checkbox, Group, MultiSelect, Select, SimpleGrid, Textarea, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Route } from '../api/contract.ts';
import { asSentence, PURPOSE_WORDS } from '../consents/kinds.ts';
import { Notice } from '../parts/notice.tsx';
import { FilterTry } from './filter-try.tsx';
import { Wanted } from './receiver-settings.tsx';
import { codeLines, FIELDS, placeOf, readCodeLines, TOPICS, textsOf, WAYS, type Way, wayOf } from './route-fields.ts';

interface Props {
  route: Route;
  isNew: boolean;
  isSaving: boolean;
  error: string | undefined;
  onSave(route: Route): void;
  onLeave(): void;
}

export function RouteForm({ route, isNew, isSaving, error, onSave, onLeave }: Props) {
  const [way, setWay] = useState<Way>(wayOf(route.to));
  const [texts, setTexts] = useState(textsOf(route.to));
  const [said, setSaid] = useState<Route>(route);
  const [messages, setMessages] = useState(route.to.messages);
  const [codes, setCodes] = useState(codeLines(route.codes));
  const maps = readCodeLines(codes);
  const change = (part: Partial<Route>) => setSaid({ ...said, ...part });
  const { topics = [], urgent = [], filters = [], quiet } = said;
  const { dialect } = WAYS[way];
  const save = () => {
    const to = placeOf(way, texts);
    onSave({
      name: said.name,
      to: dialect === 'hl7v2' && messages ? { ...to, messages } : to,
      ...(topics.length > 0 ? { topics } : {}),
      ...(urgent.length > 0 ? { urgent } : {}),
      ...(filters.length > 0 ? { filters: filters.filter((one) => one.trim() !== '') } : {}),
      ...(quiet ? { quiet } : {}),
      ...(Array.isArray(maps) && maps.length > 0 ? { codes: maps } : {}),
      ...(said.grade ? { grade: said.grade } : {}),
      ...(said.unknown ? { unknown: said.unknown } : {}),
      ...(said.purpose ? { purpose: said.purpose } : {}),
    });
  };
  return (
    <form
      aria-label={isNew ? 'A new route' : `Route ${route.name}`}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Part title="Where it ends">
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          <TextInput
            label="Name"
            required
            disabled={!isNew}
            value={said.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <Select
            label="Way"
            allowDeselect={false}
            value={way}
            data={Object.entries(WAYS).map(([value, { label }]) => ({ value, label }))}
            onChange={(value) => setWay((value ?? 'mllp') as Way)}
          />
          {WAYS[way].fields.map((name) => (
            <PlaceField
              key={name}
              name={name}
              value={texts[name] ?? ''}
              onChange={(value) => setTexts({ ...texts, [name]: value })}
            />
          ))}
        </SimpleGrid>
        {dialect === 'hl7v2' && (
          <Wanted said={{ ...(messages ? { messages } : {}) }} change={(part) => setMessages(part.messages)} />
        )}
      </Part>
      <Part title="What goes by it">
        <MultiSelect
          label="Topics"
          description="None: what its messages tell of, or what its kind is told"
          data={TOPICS}
          searchable
          clearable
          value={topics}
          onChange={(chosen) => change({ topics: chosen })}
        />
        <FilterTry filters={filters} onChange={(chosen) => change({ filters: chosen })} />
        <Select
          label="Told for"
          description="What its agreement does not let it receive for is not sent"
          mt="sm"
          maw={320}
          allowDeselect={false}
          value={said.purpose ?? 'TREAT'}
          data={['TREAT', 'HPAYMT', 'HOPERAT', 'PUBHLTH', 'HRESCH'].map((value) => ({
            value,
            label: asSentence(PURPOSE_WORDS[value]!),
          }))}
          onChange={(value) => change({ purpose: value === 'TREAT' ? undefined : (value ?? undefined) })}
        />
        <Checkbox
          mt="sm"
          label="Only between records that a steward or a source confirmed as one; what waits for that is sent then"
          checked={said.grade === 'confirmed'}
          onChange={(event) => change({ grade: event.currentTarget.checked ? 'confirmed' : undefined })}
        />
        <Checkbox
          mt="xs"
          label="Introduce people whom it cares for and does not know, under another organisation’s numbers"
          checked={said.unknown === 'introduce'}
          onChange={(event) => change({ unknown: event.currentTarget.checked ? 'introduce' : undefined })}
        />
      </Part>
      <Part title="When">
        <MultiSelect
          label="Urgent"
          description="Goes before the rest, and in quiet hours; critical results always do"
          data={TOPICS}
          searchable
          clearable
          value={urgent}
          onChange={(chosen) => change({ urgent: chosen })}
        />
        <Checkbox
          mt="sm"
          label="Quiet hours: what is not urgent waits"
          checked={quiet !== undefined}
          onChange={(event) =>
            change({ quiet: event.currentTarget.checked ? { zone: 'UTC', from: '22:00', to: '06:00' } : undefined })
          }
        />
        {quiet && (
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm" mt="xs">
            {(['from', 'to'] as const).map((name) => (
              <TextInput
                key={name}
                label={name === 'from' ? 'From' : 'To'}
                type="time"
                required
                value={quiet[name]}
                onChange={(event) => change({ quiet: { ...quiet, [name]: event.currentTarget.value } })}
              />
            ))}
            <TextInput
              label="Time zone"
              required
              value={quiet.zone}
              onChange={(event) => change({ quiet: { ...quiet, zone: event.currentTarget.value } })}
            />
          </SimpleGrid>
        )}
      </Part>
      <Part title="The destination’s codes">
        <Textarea
          label="One a line: stated = the destination’s"
          description="http://loinc.org|2823-3 = L|KAL|Potassium"
          autosize
          minRows={2}
          maxRows={12}
          spellCheck={false}
          styles={{ input: { fontFamily: 'monospace' } }}
          value={codes}
          error={typeof maps === 'number' ? `Line ${maps} is not system|code = system|code.` : undefined}
          onChange={(event) => setCodes(event.currentTarget.value)}
        />
      </Part>
      <Group mt="sm" gap="sm">
        <Button type="submit" size="compact-sm" loading={isSaving} disabled={typeof maps === 'number'}>
          Save the route
        </Button>
        <Button size="compact-sm" variant="default" onClick={onLeave}>
          Leave it as it is
        </Button>
      </Group>
      {error && (
        <div style={{ marginTop: '0.5rem' }}>
          <Notice tone="bad" title="Not changed.">
            {error}
          </Notice>
        </div>
      )}
    </form>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset style={{ border: 0, margin: '0 0 0.8rem', padding: 0 }}>
      <legend style={{ fontWeight: 600, padding: 0, marginBottom: '0.3rem' }}>{title}</legend>
      {children}
    </fieldset>
  );
}

function PlaceField({ name, value, onChange }: { name: string; value: string; onChange(value: string): void }) {
  const { label, description, isRequired = false, choices } = FIELDS[name]!;
  if (choices) {
    const data = Object.entries(choices).map(([key, words]) => ({ value: key, label: words }));
    return (
      <Select
        label={label}
        placeholder="As it comes"
        clearable
        data={data}
        value={value === '' ? null : value}
        onChange={(next) => onChange(next ?? '')}
      />
    );
  }
  return (
    <TextInput
      label={label}
      description={description}
      required={isRequired}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
