/** Links that were made: what becomes of them, who opened them, and how to end them. */
import { Button, Group, Stack, Table, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { HealthLink } from '../api/contract.ts';
import { deleteJson, putJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Notice } from '../parts/notice.tsx';
import { forgetKey, keptKey } from './kept-keys.ts';
import { encryptFile } from './link.ts';
import { filesOf } from './payload.ts';

export function MadeLinks({ patient, links }: { patient: string; links: HealthLink[] }) {
  const [active, over] = [links.filter(isActive), links.filter((link) => !isActive(link))];
  return (
    <>
      <section className="panel" aria-labelledby="active-links">
        <h2 id="active-links">Links that can be opened</h2>
        {active.length === 0 && <Text>There are none.</Text>}
        <Stack gap="md" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
          {active.map((link) => (
            <MadeLink key={link.id} patient={patient} link={link} />
          ))}
        </Stack>
      </section>
      {over.length > 0 && (
        <section className="panel" aria-labelledby="ended-links">
          <h2 id="ended-links">Links that are over</h2>
          <Stack gap="md" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {over.map((link) => (
              <MadeLink key={link.id} patient={patient} link={link} />
            ))}
          </Stack>
        </section>
      )}
    </>
  );
}

function isActive({ revoked, expires, attemptsLeft }: HealthLink): boolean {
  return revoked === undefined && attemptsLeft > 0 && (expires === undefined || Date.parse(expires) > Date.now());
}

function stateOf(link: HealthLink): string {
  const { revoked, expires, attemptsLeft } = link;
  if (revoked !== undefined) return `Ended ${formatDateTime(revoked)}`;
  if (attemptsLeft === 0) return 'Over: the passcode was wrong too often';
  if (expires === undefined) return 'Can be opened until you end it';
  return isActive(link) ? `Can be opened until ${formatDateTime(expires)}` : `Over since ${formatDateTime(expires)}`;
}

function MadeLink({ patient, link }: { patient: string; link: HealthLink }) {
  const { id, label, flag, made, files, uses, attemptsLeft } = link;
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ['health-links', patient] });
  const path = `/api/patients/${encodeURIComponent(patient)}/health-links/${id}`;
  const end = useMutation({
    mutationFn: async () => {
      await deleteJson(path);
      await forgetKey(id);
    },
    onSuccess: changed,
  });
  const kept = useQuery({
    queryKey: ['health-link-key', id],
    queryFn: async () => (await keptKey(id)) ?? null,
    enabled: flag.includes('L') && isActive(link),
  }).data;
  const update = useMutation({
    mutationFn: async () => {
      const open = await filesOf(patient, kept!.documents);
      const fresh = await Promise.all(
        open.map(async (one) => ({ contentType: one.contentType, jwe: await encryptFile(one, kept!.key) })),
      );
      await putJson(`${path}/files`, { files: fresh });
    },
    onSuccess: changed,
  });
  const failed = end.error ?? update.error;
  return (
    <li style={{ borderTop: '1px solid var(--line)', paddingTop: '0.6rem' }}>
      <Group justify="space-between" align="baseline">
        <strong>{label ?? 'Without a name'}</strong>
        <span className="small quiet">Made {formatDateTime(made)}</span>
      </Group>
      <Text size="sm">
        {stateOf(link)} · {files.length === 1 ? '1 file' : `${files.length} files`}
        {flag.includes('P') && ` · with a passcode, ${attemptsLeft} wrong attempts left`}
        {files[0] && ` · as of ${formatDateTime(files[0].updated)}`}
      </Text>
      {uses.length === 0 ? (
        <Text size="sm" className="quiet">
          Nobody has opened it.
        </Text>
      ) : (
        <Table aria-label={`Who opened ${label ?? 'the link'}`} mt={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>When</Table.Th>
              <Table.Th>Who they said they are</Table.Th>
              <Table.Th>What came of it</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {uses.map(({ at, recipient, outcome }) => (
              <Table.Tr key={`${at}${outcome}`}>
                <Table.Td>{formatDateTime(at)}</Table.Td>
                <Table.Td>{recipient ?? 'not readable any more'}</Table.Td>
                <Table.Td>{outcome === 'opened' ? 'Opened' : 'Wrong passcode'}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {failed && (
        <Notice tone="bad" title="That was not done.">
          {failed.message}
        </Notice>
      )}
      {isActive(link) && (
        <Group mt={6}>
          {kept && (
            <Button size="compact-sm" variant="default" loading={update.isPending} onClick={() => update.mutate()}>
              Bring it up to date
            </Button>
          )}
          <Button size="compact-sm" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
            End this link
          </Button>
        </Group>
      )}
    </li>
  );
}
