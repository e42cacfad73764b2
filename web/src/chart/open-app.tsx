/** Opens an app for the person whose chart is shown; the app opens in a tab of its own. */
import { Button, Menu } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getJson, postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';

export function OpenApp({ patient }: { patient: string }) {
  const apps = useQuery({
    queryKey: ['launchable-apps'],
    queryFn: ({ signal }) => getJson<{ apps: { id: string; name: string }[] }>('/api/launchable-apps', signal),
    staleTime: 60_000,
  });
  const open = useMutation({
    mutationFn: async (client: string) => {
      // Opened at once, as part of the click, or the browser would hold it back.
      const tab = window.open('', '_blank');
      try {
        const { address } = await postJson<{ address: string }>('/api/launches', { client, patient });
        if (tab) {
          tab.opener = null;
          tab.location.href = address;
        } else window.location.assign(address);
      } catch (error) {
        tab?.close();
        throw error;
      }
    },
  });
  if (!apps.data?.apps.length) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="compact-sm" variant="default" loading={open.isPending}>
            Open an app
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {apps.data.apps.map(({ id, name }) => (
            <Menu.Item key={id} onClick={() => open.mutate(id)}>
              {name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {open.isError && (
        <Notice tone="bad" title="Not opened.">
          {open.error.message}
        </Notice>
      )}
    </>
  );
}
