/** What the columns of rows are: proposed from their names and a sample, changed by choosing. */
import { NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ColumnMap, ColumnUse, ProposedMap, TableKind } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { TABLE_KINDS } from './connector-words.ts';

const leftOut = 'left-out';

interface Props {
  /** The columns, each with a value of the sample. */
  columns: string[];
  rows: Record<string, string>[];
  /** Undefined: what is proposed. */
  map: ColumnMap | undefined;
  onChange: (map: ColumnMap) => void;
}

export function MapEditor({ columns, rows, map, onChange }: Props) {
  const kind = map?.kind;
  const query = useQuery({
    queryKey: ['proposed-map', columns, kind],
    queryFn: async () => {
      const proposed = await postJson<ProposedMap>('/api/connectors/proposed-map', { columns, rows, kind });
      if (map === undefined) onChange(proposed.map);
      return proposed;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Loaded query={query} what="what the columns may be">
      {(proposed) => (
        <Editor columns={columns} rows={rows} map={map ?? proposed.map} proposed={proposed} onChange={onChange} />
      )}
    </Loaded>
  );
}

function Editor({ columns, rows, map, proposed, onChange }: Props & { map: ColumnMap; proposed: ProposedMap }) {
  const use = (column: string, next: ColumnUse | undefined) => {
    const { [column]: _, ...others } = map.columns;
    onChange({ ...map, columns: next === undefined ? others : { ...others, [column]: next } });
  };
  const changeKind = async (kind: TableKind) => {
    const { map: anew } = await postJson<ProposedMap>('/api/connectors/proposed-map', { columns, rows, kind });
    onChange({ ...anew, ...(map.dates && { dates: map.dates }) });
  };
  return (
    <Stack gap="sm">
      <NativeSelect
        label="What a row tells"
        maw={360}
        value={map.kind}
        data={Object.entries(TABLE_KINDS).map(([value, label]) => ({ value, label }))}
        onChange={(event) => void changeKind(event.currentTarget.value as TableKind)}
      />
      <NativeSelect
        label="Order of day and month, where the year stands last"
        maw={360}
        value={map.dates ?? ''}
        data={[
          { value: '', label: 'There is no such date' },
          { value: 'MDY', label: 'Month, day, year: 01/31/2026' },
          { value: 'DMY', label: 'Day, month, year: 31/01/2026' },
        ]}
        onChange={({ currentTarget: { value } }) => {
          const { dates: _, ...rest } = map;
          onChange(value === '' ? rest : { ...rest, dates: value as 'MDY' | 'DMY' });
        }}
      />
      {map.dates === undefined && proposed.ambiguousDates.length > 0 && (
        <Notice tone="warn">
          The sample does not show in which order day and month stand in {proposed.ambiguousDates.join(', ')}: say it,
          or these dates are not taken.
        </Notice>
      )}
      <div className="scroll-x">
        <table className="facts">
          <caption className="visually-hidden">What each column is</caption>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">In the sample</th>
              <th scope="col">Is</th>
              <th scope="col">Code system or authority</th>
            </tr>
          </thead>
          <tbody>
            {columns.map((column) => (
              <ColumnRow
                key={column}
                column={column}
                sample={rows.map((row) => row[column]).find((value) => value) ?? ''}
                use={map.columns[column]}
                fields={proposed.fields}
                onChange={(next) => use(column, next)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Text size="sm" className="quiet">
        A column of which nothing is said is kept in the original, and shows among what is not mapped.
      </Text>
    </Stack>
  );
}

interface RowProps {
  column: string;
  sample: string;
  use: ColumnUse | undefined;
  fields: ProposedMap['fields'];
  onChange: (use: ColumnUse | undefined) => void;
}

function ColumnRow({ column, sample, use, fields, onChange }: RowProps) {
  const field = use && 'field' in use ? use.field : undefined;
  const chosen = field ?? (use ? leftOut : '');
  const options = [
    { value: '', label: 'Nobody has said yet' },
    ...Object.entries(fields).map(([value, { label }]) => ({ value, label })),
    { value: leftOut, label: 'Left out' },
  ];
  return (
    <tr>
      <th scope="row">{column}</th>
      <td className="small" style={{ overflowWrap: 'anywhere' }}>
        {sample.slice(0, 60)}
      </td>
      <td>
        <NativeSelect
          aria-label={`What ${column} is`}
          value={chosen}
          data={options}
          onChange={({ currentTarget: { value } }) =>
            onChange(value === '' ? undefined : value === leftOut ? { leftOut: 'not needed' } : { field: value })
          }
        />
      </td>
      <td>
        {field && fields[field]?.isCoded && use && 'field' in use && (
          <TextInput
            aria-label={`Code system or authority of ${column}`}
            placeholder={field === 'patient.id' ? 'as in PID-3.4' : 'LN, SCT, a URI'}
            value={use.system ?? ''}
            onChange={({ currentTarget: { value } }) => {
              const { system: _, ...rest } = use;
              onChange(value === '' ? rest : { ...rest, system: value });
            }}
          />
        )}
        {use && 'leftOut' in use && (
          <TextInput
            aria-label={`Why ${column} is left out`}
            value={use.leftOut}
            onChange={(event) => onChange({ leftOut: event.currentTarget.value })}
          />
        )}
      </td>
    </tr>
  );
}
