/** Whose access is asked about: an organisation and what for. */
import { Group, NativeSelect } from '@mantine/core';
import type { GivenConsents } from '../api/contract.ts';

const PURPOSES = [
  { value: 'purpose=TREAT', label: 'Treatment' },
  { value: 'emergency=true', label: 'An emergency' },
  { value: 'purpose=HPAYMT', label: 'Payment' },
  { value: 'purpose=HOPERAT', label: 'Running the organisation' },
  { value: 'role=researcher', label: 'Research' },
  { value: 'role=public-health', label: 'Public health' },
];

/** As the explanation takes it; without an organisation nothing is asked. */
export interface AskedAccess {
  organization: string;
  purpose: string;
}

export const nobodyAsked: AskedAccess = { organization: '', purpose: PURPOSES[0]!.value };

export function queryOf({ organization, purpose }: AskedAccess): string {
  return `organization=${encodeURIComponent(organization)}&${purpose}`;
}

export function AskedAccessFields({
  organizations,
  asked,
  onChange,
}: Pick<GivenConsents, 'organizations'> & { asked: AskedAccess; onChange: (asked: AskedAccess) => void }) {
  return (
    <Group align="flex-end">
      <NativeSelect
        label="Organisation"
        value={asked.organization}
        onChange={(event) => onChange({ ...asked, organization: event.currentTarget.value })}
        data={[
          { value: '', label: 'Choose one' },
          ...organizations.map(({ key, name }) => ({ value: key, label: name })),
        ]}
      />
      <NativeSelect
        label="What for"
        value={asked.purpose}
        onChange={(event) => onChange({ ...asked, purpose: event.currentTarget.value })}
        data={PURPOSES}
      />
    </Group>
  );
}
