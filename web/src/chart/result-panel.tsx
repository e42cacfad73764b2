/** Results by test: the newest value with flag and reference range; a click opens all values and their trend. */
import { Fragment, lazy, Suspense, useState } from 'react';
import { formatDate, formatDateTime } from '../fhir/dates.ts';
import type { Flag, ResultValue, TestGroup } from '../fhir/results.ts';
import { Mark } from '../parts/mark.tsx';
import { SourceChip } from '../parts/source-chip.tsx';
import type { Tone } from '../theme/tones.ts';
import { Panel } from './panel.tsx';
import { Sparkline } from './sparkline.tsx';

const TrendPlot = lazy(() => import('./trend-plot.tsx'));

export function ResultPanel({
  anchor,
  title,
  groups,
  empty,
}: {
  anchor: string;
  title: string;
  groups: TestGroup[];
  empty: string;
}) {
  const [open, setOpen] = useState<string>();
  return (
    <Panel anchor={anchor} title={title} size={groups.length} empty={empty}>
      <div className="scroll-x">
        <table className="facts">
          <caption className="visually-hidden">{title} by test, newest value</caption>
          <thead>
            <tr>
              <th scope="col">Test</th>
              <th scope="col">Newest value</th>
              <th scope="col">Reference</th>
              <th scope="col">Trend</th>
              <th scope="col">Source and date</th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <Fragment key={group.key}>
                <GroupRow
                  group={group}
                  open={open === group.key}
                  toggle={() => setOpen(open === group.key ? undefined : group.key)}
                />
                {open === group.key && (
                  <tr>
                    <td colSpan={5}>
                      <GroupDetail group={group} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function GroupRow({ group, open, toggle }: { group: TestGroup; open: boolean; toggle: () => void }) {
  const newest = group.values[0]!;
  const trend = group.trends[0];
  return (
    <tr data-test-name={group.name}>
      <td>
        <button
          type="button"
          className="link-button"
          aria-expanded={open}
          onClick={toggle}
          title={group.codes.join(', ')}
        >
          {group.name}
        </button>
        {group.values.length > 1 && <span className="quiet small"> {group.values.length} values</span>}
      </td>
      <td>
        <Value value={newest} />
      </td>
      <td className="small" data-label="Reference">
        {newest.range}
      </td>
      <td>{trend && trend.points.length > 1 ? <Sparkline points={trend.points} label={group.name} /> : null}</td>
      <td>
        <SourceChip resource={newest.observation} date={newest.date} />
      </td>
    </tr>
  );
}

function GroupDetail({ group }: { group: TestGroup }) {
  return (
    <div style={{ display: 'grid', gap: '0.6rem' }}>
      {group.trends.length > 1 && (
        <p className="small" style={{ margin: 0 }}>
          Reported in {group.trends.length} units; each has its own trend, nothing is converted.
        </p>
      )}
      <Suspense fallback={<span className="quiet small">Drawing…</span>}>
        {group.trends
          .filter((trend) => trend.points.length > 1)
          .map((trend) => (
            <TrendPlot key={trend.unit} name={group.name} unit={trend.unit} points={trend.points} />
          ))}
      </Suspense>
      <table className="facts">
        <caption className="visually-hidden">All values of {group.name}</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Value</th>
            <th scope="col">Reference</th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        <tbody>
          {group.values.map((value) => (
            <tr key={value.observation.id} data-observation={value.observation.id}>
              <td>{formatDateTime(value.date) || 'Date not stated'}</td>
              <td>
                <Value value={value} />
                {value.observation.note?.map((note) => (
                  <div key={note.text} className="small quiet">
                    {note.text}
                  </div>
                ))}
              </td>
              <td className="small" data-label="Reference">
                {value.range}
              </td>
              <td>
                <SourceChip resource={value.observation} />
                {value.observation.issued && (
                  <span className="small quiet"> released {formatDate(value.observation.issued)}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const GRADE_TONE: Record<Flag['grade'], Tone> = { critical: 'bad', abnormal: 'warn', normal: 'neutral', other: 'info' };

function Value({ value }: { value: ResultValue }) {
  return (
    <>
      <span className={value.hasValue ? undefined : 'quiet'} style={{ fontWeight: value.hasValue ? 600 : 400 }}>
        {value.text}
      </span>{' '}
      {value.flag && value.flag.grade !== 'normal' && (
        <Mark tone={GRADE_TONE[value.flag.grade]}>{value.flag.words}</Mark>
      )}{' '}
      {value.remark && value.remark !== 'cancelled' && <Mark tone="info">{value.remark}</Mark>}
    </>
  );
}
