/** What would come of a sample: what was found, and of each message its resources and what is wrong with it. */
import { Stack, Text } from '@mantine/core';
import type { ConnectorPreview } from '../api/contract.ts';
import { Notice } from '../parts/notice.tsx';

const shown = 5;

export function PreviewView({ preview }: { preview: ConnectorPreview }) {
  const { found, names, messages } = preview;
  return (
    <Stack gap="sm">
      <Text>{found} Nothing was taken.</Text>
      {names && names.length > 0 && <Text size="sm">{names.join(', ')}</Text>}
      {messages.slice(0, shown).map((message, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages of a sample have no ids, and keep their order
        <MessageView key={i} number={i + 1} message={message} />
      ))}
    </Stack>
  );
}

function MessageView({ number, message }: { number: number; message: ConnectorPreview['messages'][number] }) {
  const { refused, resources, issues, ledger, original } = message;
  const count = (disposition: string) => ledger.filter((entry) => entry.disposition === disposition).length;
  const kept = ledger.filter(({ disposition }) => disposition === 'kept').map(({ source }) => source);
  return (
    <section className="panel" aria-label={`Message ${number}`}>
      <Text fw={600}>
        {number}. {resources.map(({ resourceType }) => resourceType).join(', ') || 'Nothing for the record'}
      </Text>
      <Text size="sm" className="quiet">
        {count('mapped')} mapped, {count('consumed')} consumed, {count('rejected')} left out, {kept.length} kept
        {kept.length > 0 && `: ${kept.slice(0, 8).join(', ')}`}
      </Text>
      {refused && <Notice tone="bad">{refused}</Notice>}
      {issues.map(({ source, message: text }) => (
        <Notice key={`${source} ${text}`} tone="warn" title={source}>
          {text}
        </Notice>
      ))}
      <details>
        <summary>Original and resources</summary>
        <pre className="laid-out small">{original}</pre>
        <pre className="laid-out small">{JSON.stringify(resources, null, 2)}</pre>
      </details>
    </section>
  );
}
