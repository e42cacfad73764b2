/** The list of people for whom an organisation cares: seen before it is taken, and who is on the one that holds. */
import { Button, FileInput, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Panel, PanelLine, PanelState } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDate, formatDateTime } from '../fhir/dates.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import type { Tone } from '../theme/tones.ts';

const route = getRouteApi('/signed-in/lists/$key');

/** The body of an upload: the text of a CSV, or a FHIR Group. */
type Body = { csv: string } | { group: unknown };

const OUTCOMES: Record<PanelLine['outcome'], { words: string; tone: Tone }> = {
  known: { words: 'Known by its number', tone: 'good' },
  matched: { words: 'Fits one person', tone: 'good' },
  ambiguous: { words: 'May be somebody known', tone: 'warn' },
  unknown: { words: 'Not known', tone: 'warn' },
};

const STATES: Record<Panel['state'], { words: string; tone: Tone }> = {
  current: { words: 'Holds', tone: 'good' },
  applying: { words: 'Being taken', tone: 'info' },
  replaced: { words: 'Replaced', tone: 'neutral' },
  abandoned: { words: 'Broken off', tone: 'bad' },
};

export function ListPage() {
  useTitle('People cared for');
  const { key } = route.useParams();
  const query = useQuery({
    queryKey: ['panel', key],
    queryFn: ({ signal }) => getJson<PanelState>(`/api/participants/${key}/panel`, signal),
  });
  return (
    <Stack gap="md" maw={900}>
      <Title order={1}>People for whom {query.data?.name ?? key} cares</Title>
      <Text>
        The list that holds says who is told to the organisation beside those who are known from visits, orders and the
        like. A new list replaces the one before: who is no longer on it is cared for no longer.
      </Text>
      <Upload participant={key} />
      <Loaded query={query} what="the list">
        {(state) => <Lists state={state} />}
      </Loaded>
    </Stack>
  );
}

function Upload({ participant }: { participant: string }) {
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const preview = useMutation({
    mutationFn: async (chosen: File) => {
      const body = bodyOf(await chosen.text());
      const { rows } = await postJson<{ rows: PanelLine[] }>(`/api/participants/${participant}/panel/preview`, body);
      return { body, rows };
    },
  });
  const take = useMutation({
    mutationFn: (body: Body) => postJson<Panel>(`/api/participants/${participant}/panel`, body),
    onSuccess: async () => {
      preview.reset();
      setFile(null);
      await client.invalidateQueries({ queryKey: ['panel', participant] });
    },
  });
  return (
    <section className="panel" aria-labelledby="upload-title">
      <h2 id="upload-title">A new list</h2>
      <Text size="sm">
        CSV whose first line names the columns (mrn, family, given, dob, sex, phone, address, city, zip; days as
        1957-03-14), or a FHIR Group as JSON.
      </Text>
      <Group align="flex-end" mt="xs">
        <FileInput
          label="File"
          placeholder="Choose a file"
          accept=".csv,.txt,.json"
          clearable
          w={320}
          value={file}
          onChange={(chosen) => {
            setFile(chosen);
            take.reset();
            preview.reset();
            if (chosen) preview.mutate(chosen);
          }}
        />
        {preview.data && (
          <Button loading={take.isPending} onClick={() => take.mutate(preview.data.body)}>
            Take this list
          </Button>
        )}
      </Group>
      {preview.isPending && <Text size="sm">Looking for the people…</Text>}
      {[preview.error, take.error].map(
        (error) =>
          error && (
            <Notice key={error.message} tone="bad" title="Not taken.">
              {error.message}
            </Notice>
          ),
      )}
      {preview.data && <Preview rows={preview.data.rows} />}
      {take.data && (
        <Notice tone="good" title="Taken.">
          {take.data.people} people, {take.data.begun} of them new, {take.data.ended} no longer.
        </Notice>
      )}
    </section>
  );
}

function Preview({ rows }: { rows: PanelLine[] }) {
  const leftOut = rows.filter(({ isTaken }) => !isTaken).length;
  return (
    <>
      <Text mt="xs">
        {rows.length} people: {rows.length - leftOut} would be taken, {leftOut} left out, since they have no record
        number and fit nobody alone.
      </Text>
      <FirstFew items={rows} few={50} what="lines">
        {(shown) => (
          <div className="scroll-x">
            <table className="facts">
              <caption className="visually-hidden">What is known of each line</caption>
              <thead>
                <tr>
                  <th scope="col">Line</th>
                  <th scope="col">The hub</th>
                  <th scope="col">Person</th>
                  <th scope="col">Taken</th>
                </tr>
              </thead>
              <tbody>
                {shown.map(({ line, outcome, patient, isTaken }) => (
                  <tr key={line}>
                    <td>{line}</td>
                    <td>
                      <Mark tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].words}</Mark>
                    </td>
                    <td className="small">{patient ? <PatientName id={patient} /> : '–'}</td>
                    <td className="small">{isTaken ? 'yes' : 'left out'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </FirstFew>
    </>
  );
}

function Lists({ state: { lists, members } }: { state: PanelState }) {
  const reads = readsRecords(useUser()?.role);
  return (
    <>
      <section className="panel" aria-labelledby="members-title">
        <h2 id="members-title">
          Who is on it {members.length > 0 && <span className="quiet small">{members.length}</span>}
        </h2>
        {members.length === 0 && <Text className="quiet">Nobody.</Text>}
        <FirstFew items={members} few={20} what="people">
          {(shown) => (
            <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {shown.map(({ patient, since }) => (
                <li key={patient}>
                  {reads ? (
                    <Link to="/people/$id" params={{ id: patient }}>
                      <PatientName id={patient} />
                    </Link>
                  ) : (
                    <PatientName id={patient} />
                  )}{' '}
                  <span className="quiet small">since {formatDate(since)}</span>
                </li>
              ))}
            </ul>
          )}
        </FirstFew>
      </section>
      {lists.length > 0 && (
        <section className="panel" aria-labelledby="lists-title">
          <h2 id="lists-title">Lists that came</h2>
          <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {lists.map(({ id, uploaded, by, state, rows, people, begun, ended, leftOut }) => (
              <li key={id} style={{ padding: '0.2rem 0', overflowWrap: 'anywhere' }}>
                <Mark tone={STATES[state].tone}>{STATES[state].words}</Mark> {rows} lines, {people} people, {begun} new,{' '}
                {ended} no longer
                {leftOut.length > 0 && `; left out: line ${leftOut.slice(0, 20).join(', ')}`}{' '}
                <span className="quiet small">
                  {formatDateTime(uploaded)}, {by}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** @throws Error where a file that begins as JSON is none */
function bodyOf(text: string): Body {
  if (!text.trimStart().startsWith('{')) return { csv: text };
  try {
    return { group: JSON.parse(text) as unknown };
  } catch {
    throw new Error('The file begins as JSON, and is not JSON.');
  }
}
