/** What the hub is told of one sender's dialect, as JSON; the hub says what is wrong with it before it holds. */
import { Button, Group, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Participant } from '../api/contract.ts';
import { putJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';

const EXAMPLE = `{
  "codeSystems": { "LABCODES": "https://lab.example/codes" },
  "concepts": { "https://lab.example/codes|GLU": { "system": "http://loinc.org", "code": "2345-7" } },
  "overlay": {
    "values": { "PID-8": { "W": "F" } },
    "moves": [["PID-27", "PID-13"]],
    "rows": [["ZPI-2", "Patient", "maritalStatus", "CodeableConcept", { "when": "ZPI-1 in M" }]]
  }
}`;

export function SenderSettings({ participant }: { participant: Participant }) {
  const client = useQueryClient();
  const [text, setText] = useState(JSON.stringify(participant.settings, null, 2));
  const save = useMutation({
    mutationFn: () =>
      putJson<unknown>(`/api/participants/${encodeURIComponent(participant.key)}/settings`, parsed(text)),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <section className="panel" aria-labelledby="settings-title">
      <h2 id="settings-title">What {participant.name} does differently</h2>
      <p className="small quiet" style={{ marginTop: 0 }}>
        {sender(participant)} New messages are converted by it at once; stored ones when they are converted anew.
      </p>
      <Textarea
        aria-label={`Settings of ${participant.name}, as JSON`}
        autosize
        minRows={6}
        maxRows={24}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8rem' } }}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          save.reset();
        }}
      />
      <Group mt="xs" gap="sm">
        <Button size="compact-sm" loading={save.isPending} onClick={() => save.mutate()}>
          Save
        </Button>
        <div role="status" aria-live="polite" className="small">
          {save.isSuccess && 'Saved. Look below at what it changes in the stored messages.'}
        </div>
      </Group>
      {save.isError && (
        <div style={{ marginTop: '0.5rem' }}>
          <Notice tone="bad" title="Not saved.">
            {save.error.message}
          </Notice>
        </div>
      )}
      <details className="small" style={{ marginTop: '0.6rem' }}>
        <summary>What can be told</summary>
        <p>
          <code>timeZone</code>, <code>oid</code>; the FHIR system of each name that it gives to an authority (
          <code>identifierSystems</code>) or a code system (<code>codeSystems</code>); the standard code of a local one
          (<code>concepts</code>, by system and code); and for HL7 v2 the <code>overlay</code>: what its values mean,
          fields that stand in another, and rows for its Z segments.
        </p>
        <pre className="scroll-x" style={{ margin: 0 }}>
          {EXAMPLE}
        </pre>
      </details>
    </section>
  );
}

function sender({ sendingFacility, sendingApplication }: Participant): string {
  const names = [
    sendingFacility && `facility ${sendingFacility} (MSH-4)`,
    sendingApplication && `application ${sendingApplication} (MSH-3)`,
  ].filter(Boolean);
  return names.length > 0 ? `Known in HL7 v2 by ${names.join(' and ')}.` : '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${(error as Error).message}`);
  }
}
