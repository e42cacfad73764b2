/** To whom a person's record was given out, in six years (45 CFR 164.528): on the screen and as files, with proofs. */
import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import type { Accounting, DisclosureLine } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDate, formatDateTime, formatPeriod } from '../fhir/dates.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { decidesCompliance, useUser } from '../session/session.ts';
import { Holds } from './holds.tsx';
import { ProofView } from './proof-view.tsx';

const route = getRouteApi('/signed-in/disclosures/$patient');
const shownFirst = 50;

export function DisclosuresPage() {
  const { patient } = route.useParams();
  const role = useUser()?.role;
  const title = `To whom ${role === 'patient' ? 'my' : 'this'} record was given out`;
  useTitle(title);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const period = new URLSearchParams({
    ...(from === '' ? {} : { from: new Date(`${from}T00:00:00`).toISOString() }),
    ...(to === '' ? {} : { to: new Date(`${to}T23:59:59.999`).toISOString() }),
  });
  const path = `/api/patients/${encodeURIComponent(patient)}/disclosures?${period}`;
  const query = useQuery({
    queryKey: ['disclosures', patient, period.toString()],
    queryFn: ({ signal }) => getJson<Accounting>(path, signal),
  });
  return (
    <Stack gap="md" maw={1000}>
      <Title order={1}>{title}</Title>
      <Group gap="md">
        <PatientName id={patient} />
        <Link to="/accesses/$patient" params={{ patient }}>
          Who looked at {role === 'patient' ? 'my' : 'this'} record
        </Link>
      </Group>
      <Text>
        What other organisations and apps were sent or looked at, in the last six years if you ask for no other time.
        “By law” marks what 45 CFR 164.528 asks for; what was given out for treatment, for payment and for running the
        organisations, or because the person allowed it, is told as well.
      </Text>
      <Group align="flex-end" gap="md">
        <TextInput label="From" type="date" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        <TextInput label="To" type="date" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        {(['pdf', 'csv', 'fhir'] as const).map((format) => (
          <Button key={format} variant="default" component="a" download href={`${path}&format=${format}`}>
            As {format.toUpperCase()}
          </Button>
        ))}
      </Group>
      <Loaded query={query} what="the disclosures">
        {(accounting) => <Told patient={patient} accounting={accounting} />}
      </Loaded>
      {decidesCompliance(role) && <Holds patient={patient} />}
    </Stack>
  );
}

function Told({ patient, accounting: { lines, summary } }: { patient: string; accounting: Accounting }) {
  if (lines.length === 0) return <Notice>Nothing was given out in this time.</Notice>;
  return (
    <>
      <section className="panel" aria-labelledby="in-short">
        <h2 id="in-short">In short</h2>
        <ul style={{ margin: 0, paddingLeft: '1.2rem' }}>
          {summary.map(({ recipient, purpose, count, first, last, isRequired }) => (
            // Two organisations may have one name.
            <li key={`${recipient} ${purpose} ${first} ${last}`}>
              {recipient}, for {purpose ?? 'a purpose that is not known'}:{' '}
              {count === 1 ? formatDate(first) : `${count} times, ${formatPeriod({ start: first, end: last })}`}{' '}
              {isRequired && <Mark tone="info">By law</Mark>}
            </li>
          ))}
        </ul>
      </section>
      <section className="panel" aria-labelledby="each">
        <h2 id="each">Each time</h2>
        <div className="scroll-x">
          <FirstFew items={lines} few={shownFirst} what="disclosures">
            {(shown) => (
              <table className="facts stacks">
                <thead>
                  <tr>
                    {['When', 'To whom', 'What', 'Why', 'Proof'].map((head) => (
                      <th key={head} scope="col">
                        {head}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {shown.map((line) => (
                    <Line key={line.id} patient={patient} line={line} />
                  ))}
                </tbody>
              </table>
            )}
          </FirstFew>
        </div>
      </section>
    </>
  );
}

function Line({ patient, line }: { patient: string; line: DisclosureLine }) {
  const [isOpen, setOpen] = useState(false);
  const { at, recipient, by, description, purpose, isRequired, isHeld, id } = line;
  return (
    <Fragment>
      <tr data-disclosure={id}>
        <td>{formatDateTime(at)}</td>
        <td>
          {recipient.name}
          <div className="quiet small">{recipient.address ?? 'address not known'}</div>
          {by && <div className="quiet small">{by}</div>}
        </td>
        <td>{description}</td>
        <td data-label="For">
          {purpose?.words ?? 'not known'} {isRequired && <Mark tone="info">By law</Mark>}{' '}
          {isHeld && <Mark tone="warn">Suspended: not told to the person</Mark>}
        </td>
        <td>
          <Button size="compact-sm" variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'Close' : 'Proof'}
          </Button>
        </td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={5}>
            <ProofView patient={patient} access={id} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}
