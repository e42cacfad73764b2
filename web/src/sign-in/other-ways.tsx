/** Signing in by a passkey, or by an external provider, where the hub has them. */
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { SignInWays } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { hasPasskeys } from '../security/passkey.ts';

export function OtherWays({ onPasskey, isBusy, back }: { onPasskey: () => void; isBusy: boolean; back?: string }) {
  const ways = useQuery({
    queryKey: ['sign-in-ways'],
    queryFn: ({ signal }) => getJson<SignInWays>('/auth/ways', signal),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
  const external = useMutation({
    meta: { signIn: true },
    mutationFn: () => postJson<{ address: string }>('/auth/external', { back }),
    onSuccess: ({ address }) => window.location.assign(address),
  });
  return (
    <>
      {ways?.passkey && hasPasskeys() && (
        <Button variant="default" onClick={onPasskey} disabled={isBusy}>
          Sign in with a passkey
        </Button>
      )}
      {ways?.external && (
        <Button variant="default" onClick={() => external.mutate()} loading={external.isPending}>
          Sign in with {ways.external.name}
        </Button>
      )}
      {external.isError && (
        <Notice tone="bad" title="Not signed in.">
          {external.error.message}
        </Notice>
      )}
    </>
  );
}
