/** How long what shows that an organisation cares lasts, and within which time loops have to be closed. */
import { Checkbox, Group, NumberInput, Stack } from '@mantine/core';
import type { CareRules } from '../api/contract.ts';

/** What holds where a network has not decided. */
export const usualCare: CareRules = {
  chart: true,
  encounterDays: 90,
  appointmentDays: 30,
  orderDays: 90,
  transitionHours: 48,
  referralDays: 30,
  criticalMinutes: 60,
  recallHours: 24,
};

const FIELDS: [Exclude<keyof CareRules, 'chart'>, string, string][] = [
  ['encounterDays', 'Days after a visit', 'For which who was visited cares'],
  ['appointmentDays', 'Days after an appointment', 'For which who takes part cares'],
  ['orderDays', 'Days after an order', 'For which who made or got it cares'],
  ['criticalMinutes', 'Minutes for a critical result', 'Until a clinician acknowledges it'],
  ['transitionHours', 'Hours after a discharge', 'Until its summary is accepted'],
  ['referralDays', 'Days for a referral', 'Until the note is back'],
  ['recallHours', 'Hours for what is taken back', 'Until each has acknowledged it'],
];

export function CareFields({ value, onChange }: { value: CareRules; onChange: (value: CareRules) => void }) {
  return (
    <Stack gap="xs">
      <Checkbox
        label="A hospital’s or practice’s own chart of a person counts as care, as long as it is kept"
        checked={value.chart}
        onChange={(event) => onChange({ ...value, chart: event.currentTarget.checked })}
      />
      <Group align="flex-start">
        {FIELDS.map(([name, label, description]) => (
          <NumberInput
            key={name}
            label={label}
            description={description}
            min={0}
            max={100_000}
            allowDecimal={false}
            w={230}
            value={value[name]}
            onChange={(typed) => onChange({ ...value, [name]: Number(typed) || 0 })}
          />
        ))}
      </Group>
    </Stack>
  );
}

/** The rules in a sentence each. */
export function careWords(care: CareRules): string[] {
  return [
    care.chart
      ? 'A hospital’s or practice’s own chart of a person counts as care.'
      : 'A chart alone is no care: a visit, an order or the like is.',
    `Care goes on for ${care.encounterDays} days after a visit, ${care.appointmentDays} after an appointment, ${care.orderDays} after an order.`,
    `A critical result is late after ${care.criticalMinutes} minutes, a discharge without its summary after ${care.transitionHours} hours, a referral after ${care.referralDays} days, what is taken back after ${care.recallHours} hours.`,
  ];
}
