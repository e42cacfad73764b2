/** Showing a certificate in PEM: by an administrator, or by the organisation itself. */
import { Button, Group, Stack, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Notice } from '../parts/notice.tsx';

export function CertificateForm({ add }: { add: (certificate: string) => Promise<unknown> }) {
  const [certificate, setCertificate] = useState('');
  const show = useMutation({ mutationFn: () => add(certificate), onSuccess: () => setCertificate('') });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!show.isPending) show.mutate();
      }}
    >
      <Stack gap="xs">
        <Textarea
          label="Client certificate"
          description="In PEM. From then on messages over MLLP are taken as the organisation’s with a certificate of its own only"
          placeholder="-----BEGIN CERTIFICATE-----"
          autosize
          minRows={3}
          maxRows={8}
          value={certificate}
          onChange={(event) => setCertificate(event.currentTarget.value)}
        />
        {show.isError && (
          <Notice tone="bad" title="Not taken.">
            {show.error.message}
          </Notice>
        )}
        <Group>
          <Button type="submit" size="compact-sm" disabled={certificate.trim() === ''} loading={show.isPending}>
            Add the certificate
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
