/** The proof of one access: where it is in the log, checked here and in a page of its own. */
import { entryLines } from '@causeway/access/entry-words';
import { Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { LogKeys } from '../api/contract.ts';
import { ApiError, getJson, getText } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { saveFile } from '../parts/save-file.ts';
import { type Checked, checkReceipt, type Finding, holds, readReceipt, readTrust } from '../proof/receipt.ts';

interface Proof {
  receipt: string;
  keys: string;
  /** Undefined where this page has no means to check. */
  checked: Checked | undefined;
}

/** @param access names the access within the log */
export function ProofView({ patient, access }: { patient: string; access: string }) {
  const query = useQuery({
    queryKey: ['proof', patient, access],
    queryFn: ({ signal }) => proofOf(patient, access, signal),
    // An access waits about a second for its place in the log.
    retry: (times, error) => error instanceof ApiError && error.status === 409 && times < 10,
    retryDelay: 1_000,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Stack gap="xs" mt="sm" role="region" aria-label="Proof">
      <Loaded query={query} what="the proof">
        {(proof) => <Shown proof={proof} />}
      </Loaded>
    </Stack>
  );
}

function Shown({ proof: { receipt, keys, checked } }: { proof: Proof }) {
  const { index, leaf } = readReceipt(receipt);
  return (
    <>
      {checked === undefined ? (
        <Notice tone="warn" title="Not checked here.">
          A browser checks proofs on pages that came by HTTPS only. The receipt and the page below do it.
        </Notice>
      ) : (
        <Findings checked={checked} />
      )}
      <dl
        className="small"
        style={{ display: 'grid', gridTemplateColumns: 'max-content 1fr', gap: '0 1rem', margin: 0 }}
      >
        {entryLines(JSON.parse(leaf)).map(([label, value]) => (
          <Line key={label} label={label} value={value} />
        ))}
      </dl>
      <Text size="sm">
        Keep the receipt: nobody can take this entry out of the log, or change it, without the receipt showing it. The
        page that checks receipts works without this hub and without a network. Ask somebody else, such as a witness of
        the log, for the key, or compare it with the one you kept.
      </Text>
      <Group gap="xs">
        <Button size="compact-sm" onClick={() => saveFile(receipt, `receipt-${index}.json`, 'application/json')}>
          Download the receipt
        </Button>
        <Button size="compact-sm" variant="default" component="a" href="/verifier.html" download>
          Download the page that checks it
        </Button>
        <CopyButton value={keys}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy the key of the log'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <code className="small" style={{ overflowWrap: 'anywhere' }} data-keys>
        {keys}
      </code>
    </>
  );
}

function Findings({ checked }: { checked: Checked }) {
  const isGood = holds(checked);
  return (
    <Notice tone={isGood ? 'good' : 'bad'} title={isGood ? 'The proof holds.' : 'The proof does not hold.'}>
      <ul style={{ margin: '0.25rem 0 0', paddingLeft: '1.2rem' }}>
        {checked.findings.map(({ state, text }) => (
          <li key={text} style={{ listStyleType: signs[state] }}>
            {text}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

const signs: Record<Finding['state'], string> = { holds: '"✓ "', fails: '"✗ "', open: '"– "' };

function Line({ label, value }: { label: string; value: string }) {
  return (
    <>
      <dt className="quiet">{label}</dt>
      <dd style={{ margin: 0, overflowWrap: 'anywhere' }}>{value}</dd>
    </>
  );
}

async function proofOf(patient: string, access: string, signal: AbortSignal): Promise<Proof> {
  const path = `/api/patients/${encodeURIComponent(patient)}/accesses/${access}/receipt`;
  const [receipt, { keys, witnesses }] = await Promise.all([
    getText(path, 'application/json', signal),
    getJson<LogKeys>('/api/audit/keys', signal),
  ]);
  const text = [...keys, ...witnesses].map(({ verifier }) => verifier).join('\n');
  const canCheck = window.isSecureContext && crypto.subtle !== undefined;
  const checked = canCheck ? await checkReceipt(readReceipt(receipt), await readTrust(text)) : undefined;
  return { receipt, keys: text, checked };
}
