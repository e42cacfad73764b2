/** A patient summary that came by a link, section by section: its narratives as tables and words, never as markup. */
import { Table, Text, Title } from '@mantine/core';
import type { Bundle, Composition, Patient } from '@medplum/fhirtypes';
import { formatDateTime } from '../fhir/dates.ts';
import { birthDateText, genderText, patientName } from '../fhir/people.ts';

export function SummaryView({ bundle }: { bundle: Bundle }) {
  const resources = (bundle.entry ?? []).map(({ resource }) => resource);
  const composition = resources.find((one): one is Composition => one?.resourceType === 'Composition');
  const patient = resources.find((one): one is Patient => one?.resourceType === 'Patient');
  return (
    <article aria-label="Patient summary">
      <section className="panel">
        <Title order={2}>{patient ? patientName(patient) : 'Somebody without a name'}</Title>
        {patient && (
          <Text>
            Born {birthDateText(patient)} · {genderText(patient.gender)}
          </Text>
        )}
        <Text size="sm" className="quiet">
          {composition?.title ?? 'Document'}
          {composition?.date && `, made ${formatDateTime(composition.date)}`}
        </Text>
      </section>
      {composition?.section?.map((section) => (
        <section
          className="panel"
          key={section.code?.coding?.[0]?.code ?? section.title}
          style={{ marginTop: '0.8rem' }}
        >
          <Title order={3}>{section.title}</Title>
          <Narrative div={section.text?.div ?? ''} />
        </section>
      ))}
    </article>
  );
}

interface Read {
  tables: { head: string[]; rows: string[][] }[];
  words: string[];
}

function Narrative({ div }: { div: string }) {
  const { tables, words } = readNarrative(div);
  return (
    <>
      {tables.map(({ head, rows }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the narrative does not change.
        <Table.ScrollContainer minWidth={480} key={at}>
          <Table>
            {head.length > 0 && (
              <Table.Thead>
                <Table.Tr>
                  {head.map((name) => (
                    <Table.Th key={name}>{name}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
            )}
            <Table.Tbody>
              {rows.map((cells, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the narrative does not change.
                <Table.Tr key={row}>
                  {cells.map((cell, column) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: the narrative does not change.
                    <Table.Td key={column}>{cell}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ))}
      {words.map((sentence) => (
        <Text key={sentence}>{sentence}</Text>
      ))}
    </>
  );
}

/** The words of a narrative. Nothing of its markup reaches the page. */
function readNarrative(div: string): Read {
  const page = new DOMParser().parseFromString(div, 'text/html');
  for (const element of page.querySelectorAll('script, style')) element.remove();
  const wordsOf = (element: Element) => (element.textContent ?? '').trim();
  const tables = [...page.querySelectorAll('table')].map((table) => {
    const rows = [...table.querySelectorAll('tr')].map((row) => [...row.querySelectorAll('th, td')]);
    const [first = []] = rows;
    const hasHead = first.length > 0 && first.every((cell) => cell.tagName === 'TH');
    return {
      head: hasHead ? first.map(wordsOf) : [],
      rows: (hasHead ? rows.slice(1) : rows).map((row) => row.map(wordsOf)),
    };
  });
  for (const table of page.querySelectorAll('table')) table.remove();
  const blocks = [...page.querySelectorAll('p, li, h1, h2, h3, h4, h5, h6')].map(wordsOf).filter(Boolean);
  const words = blocks.length > 0 ? blocks : [wordsOf(page.body)].filter(Boolean);
  return { tables, words };
}
