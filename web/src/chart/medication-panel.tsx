/** Medications merged over their sources: one line a drug; a click shows what each organisation says. */
import { Fragment, useState } from 'react';
import { formatDate } from '../fhir/dates.ts';
import type { MedicationLine } from '../fhir/medications.ts';
import { sourceOf } from '../fhir/source.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Mark } from '../parts/mark.tsx';
import { SourceChip, SourceChips } from '../parts/source-chip.tsx';
import { Panel } from './panel.tsx';

export function MedicationPanel({ lines }: { lines: MedicationLine[] }) {
  const current = lines.filter((line) => line.standing !== 'past');
  const past = lines.filter((line) => line.standing === 'past');
  return (
    <Panel anchor="medications" title="Medications" size={lines.length} empty="No medications on record.">
      <Lines lines={current} caption="Current medications" />
      {past.length > 0 && (
        <details>
          <summary className="small">Past medications ({past.length})</summary>
          <Lines lines={past} caption="Past medications" />
        </details>
      )}
    </Panel>
  );
}

function Lines({ lines, caption }: { lines: MedicationLine[]; caption: string }) {
  const [open, setOpen] = useState<string>();
  if (lines.length === 0) return <p className="quiet small">None current.</p>;
  return (
    <div className="scroll-x">
      <table className="facts">
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Drug and dose</th>
            <th scope="col" style={{ width: '52%' }}>
              Sources
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => {
            const key = line.uses[0]!.fact.id!;
            return (
              <Fragment key={key}>
                <tr data-medication={line.name} data-sources={sourceCount(line)}>
                  <td>
                    <button
                      type="button"
                      className="link-button"
                      aria-expanded={open === key}
                      onClick={() => setOpen(open === key ? undefined : key)}
                    >
                      <strong>{line.name}</strong>
                    </button>{' '}
                    {line.standing === 'unclear' && <Mark tone="warn">Not stated whether taken</Mark>}
                    {line.disagreements.length > 0 && (
                      <Mark tone="warn" title={line.disagreements.join('; ')}>
                        Sources differ
                      </Mark>
                    )}
                    <div className="small">{line.dosage || <span className="quiet">Dose not stated</span>}</div>
                    {line.lastDispensed && (
                      <div className="small quiet">Last dispensed {formatDate(line.lastDispensed)}</div>
                    )}
                  </td>
                  <td>
                    <SourceChips resources={line.uses.map((use) => use.fact)} dateOf={(fact) => dateIn(line, fact)} />
                  </td>
                </tr>
                {open === key && (
                  <tr>
                    <td colSpan={2}>
                      <Uses line={line} />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Uses({ line }: { line: MedicationLine }) {
  return (
    <>
      {line.disagreements.length > 0 && <p className="small">Sources differ: {line.disagreements.join('; ')}.</p>}
      <FirstFew items={line.uses} few={6} what="statements">
        {(shown) => (
          <ul className="small" style={{ margin: 0, paddingLeft: '1.1rem' }}>
            {shown.map((use) => (
              <li key={`${use.fact.resourceType}/${use.fact.id}`}>
                {use.kind} ({use.status}): {use.name}
                {use.dosage && `, ${use.dosage}`} <SourceChip resource={use.fact} date={use.date} />
              </li>
            ))}
          </ul>
        )}
      </FirstFew>
    </>
  );
}

function dateIn(line: MedicationLine, fact: object): string | undefined {
  return line.uses.find((use) => use.fact === fact)?.date;
}

function sourceCount(line: MedicationLine): number {
  return new Set(line.uses.map((use) => sourceOf(use.fact).key || sourceOf(use.fact).name)).size;
}
