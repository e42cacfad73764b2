/** Looking a person up for an emergency: whole names with the birth date, or a number; then the emergency access itself. */
import { Button, Group, Modal, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { EmergencyLookup, EmergencyReason } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Notice } from '../parts/notice.tsx';
import { typedBirthDate } from '../people/find-people.ts';
import { BeginEmergency } from './begin-emergency.tsx';

export function LookUp({ reasons, close }: { reasons: EmergencyReason[]; close: () => void }) {
  const navigate = useNavigate();
  const [by, setBy] = useState('name');
  const [typed, setTyped] = useState({ family: '', given: '', birthDate: '', identifier: '' });
  const [chosen, setChosen] = useState<string>();
  const birthDate = typedBirthDate(typed.birthDate);
  const isWhole = birthDate?.length === 10;
  const { family, given, identifier } = typed;
  const asked = by === 'name' ? { family, given, birthDate } : { identifier };
  const isReady = by === 'name' ? isWhole && family.trim() !== '' && given.trim() !== '' : identifier.trim().length > 2;
  const look = useMutation({ mutationFn: () => postJson<EmergencyLookup>('/api/emergency/lookup', asked) });
  const field = (name: keyof typeof typed) => ({
    value: typed[name],
    autoComplete: 'off',
    required: true,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => setTyped({ ...typed, [name]: event.currentTarget.value }),
  });
  if (chosen) {
    const open = () => navigate({ to: '/people/$id', params: { id: chosen } });
    return <BeginEmergency patient={chosen} reasons={reasons} close={close} onBegun={() => void open()} />;
  }
  return (
    <Modal opened onClose={close} title="Look a person up" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !look.isPending) look.mutate();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">
            Who has closed everything is found here alone. Each look-up is recorded, and the privacy officers are told
            of one that no emergency access follows.
          </Text>
          <SegmentedControl
            aria-label="Look up by"
            value={by}
            onChange={setBy}
            data={[
              { value: 'name', label: 'Name and birth date' },
              { value: 'identifier', label: 'Number' },
            ]}
          />
          {by === 'name' ? (
            <>
              <TextInput label="Family name" description="The whole of it" {...field('family')} />
              <TextInput label="Given name" description="The whole of it" {...field('given')} />
              <TextInput
                label="Birth date"
                description="With day and month, as 1962-04-09"
                {...field('birthDate')}
                error={typed.birthDate.length >= 8 && !isWhole ? 'Not a whole date yet' : undefined}
              />
            </>
          ) : (
            <TextInput
              label="Number"
              description="Record or insurance number, the whole of it"
              {...field('identifier')}
            />
          )}
          {look.isError && (
            <Notice tone="bad" title="Not looked up.">
              {look.error.message}
            </Notice>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" disabled={!isReady} loading={look.isPending}>
              Look up
            </Button>
          </Group>
          {look.isSuccess && <Found lookup={look.data} choose={setChosen} />}
        </Stack>
      </form>
    </Modal>
  );
}

function Found({ lookup: { isTooMany, persons }, choose }: { lookup: EmergencyLookup; choose: (id: string) => void }) {
  if (isTooMany) return <Notice>Too many people fit. Use a number.</Notice>;
  return (
    <div role="status" aria-live="polite">
      {persons.length === 0 && <Notice>Nobody of exactly these data is on the network.</Notice>}
      <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {persons.map(({ id, name, birthDate, gender }) => (
          <li key={id} style={{ borderTop: '1px solid var(--line)', padding: '0.5rem 0' }}>
            <Group justify="space-between">
              <span>
                <strong>{name.map(({ family, given }) => [...(given ?? []), family].join(' ')).join('; ')}</strong>
                <br />
                <span className="small quiet">
                  {[birthDate && `born ${formatDate(birthDate)}`, gender].filter(Boolean).join(', ')}
                </span>
              </span>
              <Button size="compact-sm" variant="default" className="danger" onClick={() => choose(id)}>
                Emergency access
              </Button>
            </Group>
          </li>
        ))}
      </ul>
    </div>
  );
}
