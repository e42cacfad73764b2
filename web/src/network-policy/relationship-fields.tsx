/** Whether who treats a person has to be known to treat it, and what counts as proof. */
import { Group, NumberInput, Radio, Stack } from '@mantine/core';
import { relationshipWords } from './policy-words.ts';

export interface TypedRelationship {
  mode: 'off' | 'flag' | 'require';
  daysBack: number;
  daysAhead: number;
}

export const noRelationship: TypedRelationship = { mode: 'off', daysBack: 365, daysAhead: 30 };
const modes = ['off', 'flag', 'require'] as const;
const longestDays = 3_650;

export function RelationshipFields({
  value,
  onChange,
}: {
  value: TypedRelationship;
  onChange: (value: TypedRelationship) => void;
}) {
  const days = (name: 'daysBack' | 'daysAhead', label: string, description: string) => (
    <NumberInput
      label={label}
      description={description}
      min={0}
      max={longestDays}
      allowDecimal={false}
      maw={240}
      value={value[name]}
      onChange={(typed) => onChange({ ...value, [name]: Number(typed) || 0 })}
    />
  );
  return (
    <>
      <Radio.Group
        label="Whether who reads for treatment treats the person"
        description="Known by visits, appointments, referrals, care teams, what the organisation sent, what the person shared, or what a clinician says"
        value={value.mode}
        onChange={(chosen) => onChange({ ...value, mode: modes.find((mode) => mode === chosen) ?? 'off' })}
      >
        <Stack gap={6} mt={6}>
          {modes.map((mode) => (
            <Radio key={mode} value={mode} label={relationshipWords(mode)} />
          ))}
        </Stack>
      </Radio.Group>
      {value.mode !== 'off' && (
        <Group align="flex-start">
          {days('daysBack', 'Days back', 'How long ago a visit may lie')}
          {days('daysAhead', 'Days ahead', 'How far ahead an appointment may lie')}
        </Group>
      )}
    </>
  );
}
