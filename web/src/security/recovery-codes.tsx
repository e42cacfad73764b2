/** Recovery codes, which are shown once. */
import { Button, CopyButton, Group, Stack } from '@mantine/core';
import { Notice } from '../parts/notice.tsx';

export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <Stack gap="sm">
      <Notice tone="warn" title="Keep these codes where you find them without your device.">
        Each signs you in once in place of your second factor. They are not shown again.
      </Notice>
      <ul
        style={{ columns: '14rem 2', margin: 0, paddingLeft: '1.2rem', fontFamily: 'monospace' }}
        aria-label="Recovery codes"
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Group gap="xs">
        <CopyButton value={codes.join('\n')}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy the codes'}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onDone}>I have kept them</Button>
      </Group>
    </Stack>
  );
}
