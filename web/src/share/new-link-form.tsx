/** Making a link: what is in it, who may open it and for how long; then the link itself, which is shown this once. */
import { Button, Checkbox, CopyButton, Group, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { postJson, putJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { QrCode } from '../security/qr-code.tsx';
import { keepKey } from './kept-keys.ts';
import { encryptFile, newKey, usableKey, writeLink } from './link.ts';
import { documentName, documentsQuery, filesOf } from './payload.ts';

const shortestPasscode = 4;
const longestLabel = 80;
const spans = [
  { value: '1', label: 'A day' },
  { value: '7', label: 'A week' },
  { value: '31', label: 'A month' },
  { value: '366', label: 'A year' },
  { value: '', label: 'Until I end it' },
];

interface Wanted {
  label: string;
  documents: string[];
  passcode: string;
  days: string;
  isKeptUp: boolean;
  isDirect: boolean;
}

const nothing: Wanted = {
  label: 'Patient summary',
  documents: [],
  passcode: '',
  days: '7',
  isKeptUp: false,
  isDirect: false,
};

export function NewLinkForm({ patient }: { patient: string }) {
  const [wanted, setWanted] = useState(nothing);
  const documents = useQuery(documentsQuery(patient));
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => makeLink(patient, wanted),
    onSuccess: () => client.invalidateQueries({ queryKey: ['health-links', patient] }),
  });
  const set = (more: Partial<Wanted>) => setWanted((before) => ({ ...before, ...more }));
  const isShort = wanted.passcode !== '' && wanted.passcode.length < shortestPasscode;
  if (make.isSuccess) {
    return (
      <MadeLink
        link={make.data}
        hasPasscode={wanted.passcode !== ''}
        onDone={() => {
          make.reset();
          setWanted(nothing);
        }}
      />
    );
  }
  return (
    <section className="panel" aria-labelledby="new-link">
      <h2 id="new-link">A new link</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isShort && !make.isPending) make.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="What it is called"
            description="Whoever opens the link sees this first."
            required
            maxLength={longestLabel}
            value={wanted.label}
            onChange={(event) => set({ label: event.currentTarget.value })}
          />
          <Checkbox.Group
            label="What is in it"
            value={['summary', ...wanted.documents]}
            onChange={(chosen) => set({ documents: chosen.filter((one) => one !== 'summary') })}
          >
            <Stack gap={6} mt={4}>
              <Checkbox value="summary" label="The patient summary, as it is now" disabled />
              {(documents.data ?? []).map((one) => (
                <Checkbox key={one.id} value={one.id!} label={documentName(one)} disabled={wanted.isDirect} />
              ))}
            </Stack>
          </Checkbox.Group>
          <PasswordInput
            label="Passcode"
            description="Leave it empty to let the link alone open it. Tell the passcode by another way than the link."
            autoComplete="off"
            disabled={wanted.isDirect}
            error={isShort ? `At least ${shortestPasscode} characters` : undefined}
            value={wanted.passcode}
            onChange={(event) => set({ passcode: event.currentTarget.value })}
          />
          <Select
            label="How long it can be opened"
            data={spans}
            allowDeselect={false}
            value={wanted.days}
            onChange={(days) => set({ days: days ?? '' })}
          />
          <Checkbox
            label="I want to bring it up to date later"
            description="This browser keeps what it needs for that; another browser cannot."
            checked={wanted.isKeptUp}
            onChange={(event) => set({ isKeptUp: event.currentTarget.checked })}
          />
          <Checkbox
            label="For simple readers: the summary alone, without a passcode"
            checked={wanted.isDirect}
            onChange={(event) => set({ isDirect: event.currentTarget.checked, documents: [], passcode: '' })}
          />
          {make.isError && (
            <Notice tone="bad" title="The link was not made.">
              {make.error.message}
            </Notice>
          )}
          <Group>
            <Button type="submit" loading={make.isPending}>
              Make the link
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}

/** Encrypts first, then makes the link: it is never there without what is in it for longer than that takes. */
async function makeLink(patient: string, wanted: Wanted): Promise<string> {
  const { label, documents, passcode, days, isKeptUp, isDirect } = wanted;
  const flag = `${isKeptUp ? 'L' : ''}${passcode === '' ? '' : 'P'}${isDirect ? 'U' : ''}`;
  const key = newKey();
  const usable = await usableKey(key);
  const open = await filesOf(patient, documents);
  const files = await Promise.all(
    open.map(async (one) => ({ contentType: one.contentType, jwe: await encryptFile(one, usable) })),
  );
  const expires = days === '' ? undefined : new Date(Date.now() + Number(days) * 24 * 3_600_000);
  const path = `/api/patients/${encodeURIComponent(patient)}/health-links`;
  const { id, url } = await postJson<{ id: string; url: string }>(path, {
    label: label.trim(),
    flag,
    ...(passcode === '' ? {} : { passcode }),
    ...(expires ? { expires: expires.toISOString() } : {}),
  });
  await putJson(`${path}/${id}/files`, { files });
  if (isKeptUp) await keepKey(id, { key: usable, documents });
  const exp = expires ? { exp: Math.floor(expires.getTime() / 1000) } : {};
  const payload = { url, key, ...exp, ...(flag === '' ? {} : { flag }), label: label.trim() };
  return writeLink(payload, `${window.location.origin}/open-link`);
}

function MadeLink({ link, hasPasscode, onDone }: { link: string; hasPasscode: boolean; onDone: () => void }) {
  return (
    <section className="panel" aria-labelledby="made-link">
      <h2 id="made-link">The link is made</h2>
      <Stack gap="sm">
        <Text>
          It is shown this once. Give it to those who are to read it, as a text or by letting them scan the code
          {hasPasscode && '; and tell them the passcode otherwise'}.
        </Text>
        <QrCode text={link} label="QR code of the link" size={280} />
        <code style={{ overflowWrap: 'anywhere', fontSize: '0.8rem' }}>{link}</code>
        <Group>
          <CopyButton value={link}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy the link'}
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={onDone}>
            Done
          </Button>
        </Group>
      </Stack>
    </section>
  );
}
