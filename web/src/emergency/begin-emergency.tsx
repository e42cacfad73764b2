/** Beginning an emergency access: why, in words too, and proving again who it is; says what will happen. */
import { Button, Group, Modal, Radio, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Emergency, EmergencyReason } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useProof } from '../security/proof.tsx';
import { emergencyQuery, REASON_WORDS } from './emergency-query.ts';

const shortestReason = 10;

export function BeginEmergency({
  patient,
  reasons,
  close,
  onBegun,
}: {
  patient: string;
  reasons: EmergencyReason[];
  close: () => void;
  onBegun?: () => void;
}) {
  const client = useQueryClient();
  const [reasonCode, setReasonCode] = useState<string>('');
  const [reason, setReason] = useState('');
  const { fields, isReady: isProved, proof } = useProof('Your password, again');
  const begin = useMutation({
    mutationFn: async () =>
      postJson<Emergency>('/api/emergency', { patient, reasonCode, reason: reason.trim(), ...(await proof()) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: emergencyQuery.queryKey });
      close();
      onBegun?.();
    },
  });
  const isReady = reasonCode !== '' && reason.trim().length >= shortestReason && isProved;
  return (
    <Modal opened onClose={close} title="Emergency access" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !begin.isPending) begin.mutate();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">
            For an hour you see what this person has closed to others, except psychotherapy notes. The person and the
            privacy officers are told at once, each look is recorded, and somebody reviews whether it was right. One
            that you have for another person ends.
          </Text>
          <Radio.Group label="Why" required value={reasonCode} onChange={setReasonCode}>
            <Stack gap={6} mt={6}>
              {reasons.map((code) => (
                <Radio key={code} value={code} label={REASON_WORDS[code] ?? code} />
              ))}
            </Stack>
          </Radio.Group>
          <Textarea
            label="In your own words"
            description={`At least ${shortestReason} characters; the person can read it`}
            required
            autosize
            minRows={2}
            maxLength={1000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {fields}
          {begin.isError && (
            <Notice tone="bad" title="Not begun.">
              {begin.error.message}
            </Notice>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" disabled={!isReady} loading={begin.isPending}>
              Begin emergency access
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
