/**
 * Opening a SMART Health Link, of this hub or any other: pasted, scanned, or behind the `#` of this page's address. Nobody has
 * to be signed in. What it holds is decrypted and shown here; a clinician may file it with a person.
 */
import {
  Button,
  Checkbox,
  FileButton,
  Group,
  PasswordInput,
  Stack,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import type { Bundle, DocumentReference } from '@medplum/fhirtypes';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { PatientName } from '../apps/patient-choice.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { sessionQuery } from '../session/session.ts';
import { Logo } from '../shell/logo.tsx';
import { openLink } from './fetch-link.ts';
import { fileSummary, isOfRecord } from './file-summary.ts';
import { type OpenFile, readLink } from './link.ts';
import { documentName } from './payload.ts';
import { Camera, scanImage } from './scan.tsx';
import { SummaryView } from './summary-view.tsx';

const route = getRouteApi('/open-link');

export function OpenLinkPage() {
  useTitle('Open a health link');
  const { patient } = route.useSearch();
  const user = useQuery(sessionQuery).data ?? null;
  const [link, setLink] = useState(() => fromAddress());
  const [recipient, setRecipient] = useState('');
  const [passcode, setPasscode] = useState('');
  useEffect(() => {
    // The link is in the page; it need not stay in the browser's history.
    if (window.location.hash)
      window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  }, []);
  const read = parsed(link);
  const open = useMutation({
    meta: { signIn: true },
    mutationFn: () => openLink(readLink(link), { recipient: recipient.trim(), passcode }),
  });
  const asksPasscode = read?.payload?.flag?.includes('P') ?? false;
  return (
    <main className="page" style={{ maxWidth: 860, paddingTop: '3vh' }}>
      <Stack gap="md">
        <Group justify="space-between">
          <Logo size={32} />
          {user === null ? <Link to="/sign-in">Sign in</Link> : <Link to="/">To the start page</Link>}
        </Group>
        <Title order={1}>Open a health link</Title>
        <section className="panel">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (read?.payload && recipient.trim() !== '') open.mutate();
            }}
          >
            <Stack gap="sm">
              <Textarea
                label="The link"
                description="It begins with shlink:/, or with a page before that."
                required
                autosize
                maxRows={4}
                value={link}
                error={read?.fault}
                onChange={(event) => setLink(event.currentTarget.value)}
              />
              <Scanning onFound={setLink} />
              {read?.payload?.label && <Text>It is called “{read.payload.label}”.</Text>}
              <TextInput
                label="Who you are"
                description="The person whose record it is will see this."
                required
                maxLength={200}
                value={recipient}
                onChange={(event) => setRecipient(event.currentTarget.value)}
              />
              {asksPasscode && (
                <PasswordInput
                  label="Passcode"
                  required
                  autoComplete="off"
                  value={passcode}
                  onChange={(event) => setPasscode(event.currentTarget.value)}
                />
              )}
              {open.isError && (
                <Notice tone="bad" title="Not opened.">
                  {open.error.message}
                </Notice>
              )}
              <Group>
                <Button type="submit" loading={open.isPending}>
                  Open
                </Button>
              </Group>
            </Stack>
          </form>
        </section>
        {open.data?.map((file, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the files of one answer do not change.
          <OpenedFile key={at} file={file} />
        ))}
        {open.data?.some(isOfRecord) && patient !== undefined && user?.role === 'clinician' && (
          <Filing patient={patient} files={open.data} label={read?.payload?.label} recipient={recipient} />
        )}
      </Stack>
    </main>
  );
}

function fromAddress(): string {
  const hash = decodeURIComponent(window.location.hash.slice(1));
  return hash.startsWith('shlink:/') ? hash : '';
}

function parsed(link: string): { payload?: ReturnType<typeof readLink>; fault?: string } | undefined {
  if (link.trim() === '') return undefined;
  try {
    return { payload: readLink(link) };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

function Scanning({ onFound }: { onFound: (link: string) => void }) {
  const [isOn, setOn] = useState(false);
  const [fault, setFault] = useState<string>();
  const found = (link: string) => {
    setOn(false);
    onFound(link);
  };
  const fromFile = async (file: File | null) => {
    setFault(undefined);
    if (!file) return;
    try {
      const text = await scanImage(file);
      if (text) found(text);
      else setFault('There is no QR code in this picture that can be read.');
    } catch {
      setFault('This file is no picture.');
    }
  };
  return (
    <>
      <Group>
        <Button variant="default" onClick={() => setOn(!isOn)}>
          {isOn ? 'Stop the camera' : 'Scan by the camera'}
        </Button>
        <FileButton onChange={fromFile} accept="image/*">
          {(props) => (
            <Button variant="default" {...props}>
              A picture of the code
            </Button>
          )}
        </FileButton>
      </Group>
      {isOn && <Camera onFound={found} />}
      {fault && <Notice tone="bad">{fault}</Notice>}
    </>
  );
}

function OpenedFile({ file: { contentType, text } }: { file: OpenFile }) {
  const resource =
    contentType === 'application/fhir+json' ? (JSON.parse(text) as Bundle | DocumentReference) : undefined;
  if (resource?.resourceType === 'Bundle') return <SummaryView bundle={resource} />;
  if (resource?.resourceType === 'DocumentReference') {
    const { data, contentType: type, title } = resource.content[0]?.attachment ?? {};
    return (
      <section className="panel">
        <Group justify="space-between">
          <span>{documentName(resource)}</span>
          {data && (
            <a href={`data:application/octet-stream;base64,${data}`} download={title ?? 'document'}>
              Save ({type ?? 'of unknown kind'})
            </a>
          )}
        </Group>
      </section>
    );
  }
  const words =
    contentType === 'application/smart-api-access'
      ? 'Access to a FHIR server, for an app that can use it.'
      : `A file that this page does not show (${contentType || 'of unknown kind'}).`;
  return <section className="panel">{words}</section>;
}

/** Filing is a decision: it says that what came is of this person. */
function Filing({
  patient,
  files,
  label,
  recipient,
}: {
  patient: string;
  files: OpenFile[];
  label?: string;
  recipient: string;
}) {
  const [isSure, setSure] = useState(false);
  const file = useMutation({ mutationFn: () => fileSummary(patient, files, { label, recipient }) });
  if (file.isSuccess)
    return (
      <Notice tone="good" title="It is filed.">
        It is among the documents of{' '}
        <Link to="/people/$id" params={{ id: patient }}>
          the record
        </Link>
        .
      </Notice>
    );
  return (
    <section className="panel" aria-labelledby="file-it">
      <h2 id="file-it">File it with the record that you came from</h2>
      <Stack gap="sm">
        <PatientName id={patient} />
        <Checkbox
          label="I have made sure that this is of the same person"
          checked={isSure}
          onChange={(event) => setSure(event.currentTarget.checked)}
        />
        {file.isError && (
          <Notice tone="bad" title="Not filed.">
            {file.error.message}
          </Notice>
        )}
        <Group>
          <Button disabled={!isSure} loading={file.isPending} onClick={() => file.mutate()}>
            File it
          </Button>
        </Group>
      </Stack>
    </section>
  );
}
