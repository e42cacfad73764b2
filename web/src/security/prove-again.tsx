/** Asked before changes that need it: it was proved too long ago who is at the screen. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useProof } from './proof.tsx';
import { securityQuery } from './security-query.ts';

export function ProveAgain() {
  const client = useQueryClient();
  const { fields, isReady, proof } = useProof('Your password');
  const prove = useMutation({
    mutationFn: async () => postJson<unknown>('/auth/step-up', await proof()),
    onSuccess: () => client.invalidateQueries({ queryKey: securityQuery.queryKey }),
  });
  return (
    <section className="panel" style={{ maxWidth: 520 }}>
      <h2>Prove again that it is you</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !prove.isPending) prove.mutate();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">You signed in a while ago. Changes here need a proof of the last 15 minutes.</Text>
          {fields}
          {prove.isError && (
            <Notice tone="bad" title="Not proved.">
              {prove.error.message}
            </Notice>
          )}
          <Group>
            <Button type="submit" disabled={!isReady} loading={prove.isPending}>
              Go on
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}
