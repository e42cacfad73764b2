/** How one resource looks to somebody by rules of redaction that are not in force yet. */
import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { RedactedPreview } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { asSentence, joined, PURPOSE_WORDS } from '../consents/kinds.ts';
import { Notice } from '../parts/notice.tsx';
import { REDACTED_ROLES, type TypedRedaction, written } from './redaction-rules.ts';

export function RedactionPreview({
  rules,
  organizations,
}: {
  rules: readonly TypedRedaction[];
  organizations: readonly { value: string; label: string }[];
}) {
  const [resource, setResource] = useState('');
  const [role, setRole] = useState('clinician');
  const [purpose, setPurpose] = useState('TREAT');
  const [organization, setOrganization] = useState<string | null>(null);
  const preview = useMutation({
    mutationFn: () =>
      postJson<RedactedPreview>('/api/redaction-preview', {
        resource: resource.trim(),
        as: { role, purpose, ...(organization ? { organization } : {}) },
        redactions: rules.filter(({ elements }) => elements.length > 0).map(written),
      }),
  });
  return (
    <section aria-labelledby="redaction-preview">
      <h3 id="redaction-preview">How a resource would look</h3>
      <Stack gap="sm">
        <Group grow preventGrowOverflow={false} align="flex-start">
          <TextInput
            label="Resource"
            placeholder="Patient/…"
            value={resource}
            onChange={(event) => setResource(event.currentTarget.value)}
          />
          <Select
            label="To a"
            allowDeselect={false}
            data={REDACTED_ROLES}
            value={role}
            onChange={(chosen) => setRole(chosen!)}
          />
          <Select
            label="For"
            allowDeselect={false}
            data={Object.entries(PURPOSE_WORDS).map(([value, text]) => ({ value, label: asSentence(text) }))}
            value={purpose}
            onChange={(chosen) => setPurpose(chosen!)}
          />
          <Select
            label="Of"
            placeholder="An organisation that is not known"
            clearable
            searchable
            data={organizations}
            value={organization}
            onChange={setOrganization}
          />
        </Group>
        <Group>
          <Button
            variant="default"
            size="compact-sm"
            disabled={!/^[A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.test(resource.trim())}
            loading={preview.isPending}
            onClick={() => preview.mutate()}
          >
            Look at it
          </Button>
        </Group>
        {preview.isError && (
          <Notice tone="bad" title="It cannot be shown.">
            {preview.error.message}
          </Notice>
        )}
        {preview.data && <Shown preview={preview.data} />}
      </Stack>
    </section>
  );
}

function Shown({ preview: { shown, changed } }: { preview: RedactedPreview }) {
  return (
    <>
      <Text>{changed.length === 0 ? 'Nothing is left out of it.' : `Left out, or cut: ${joined(changed)}.`}</Text>
      <pre className="scroll-x small">{JSON.stringify(shown, undefined, 2)}</pre>
    </>
  );
}
