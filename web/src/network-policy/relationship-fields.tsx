/** Whether an organisation has to be known to have to do with a person, for which purposes, and what counts as proof. */
import { Checkbox, Group, NumberInput, Radio, Stack } from '@mantine/core';
import type { ProvenPurpose } from '../api/contract.ts';
import { asSentence, PURPOSE_WORDS } from '../consents/kinds.ts';
import { relationshipWords } from './policy-words.ts';

export interface TypedRelationship {
  mode: 'off' | 'flag' | 'require';
  purposes?: ProvenPurpose[];
  daysBack: number;
  daysAhead: number;
}

export const noRelationship: TypedRelationship = { mode: 'off', daysBack: 365, daysAhead: 30 };
const modes = ['off', 'flag', 'require'] as const;
export const provenPurposes: ProvenPurpose[] = ['TREAT', 'HPAYMT', 'HOPERAT'];
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
        label="Whether an organisation that reads a record has to do with the person"
        description="Known by visits, appointments, referrals, care teams, coverages, what the organisation sent, what the person shared, or what a clinician says"
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
        <>
          <Checkbox.Group
            label="For which purposes"
            value={value.purposes ?? ['TREAT']}
            onChange={(chosen) =>
              onChange({ ...value, purposes: provenPurposes.filter((one) => chosen.includes(one)) })
            }
          >
            <Group mt={6}>
              {provenPurposes.map((purpose) => (
                <Checkbox key={purpose} value={purpose} label={asSentence(PURPOSE_WORDS[purpose]!)} />
              ))}
            </Group>
          </Checkbox.Group>
          <Group align="flex-start">
            {days('daysBack', 'Days back', 'How long ago a visit may lie')}
            {days('daysAhead', 'Days ahead', 'How far ahead an appointment may lie')}
          </Group>
        </>
      )}
    </>
  );
}
