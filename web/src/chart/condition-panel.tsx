/** Conditions merged over their sources: active, resolved, ruled out. */
import type { Condition } from '@medplum/fhirtypes';
import { codingLabel } from '../fhir/concepts.ts';
import type { ConditionLine } from '../fhir/conditions.ts';
import { formatDate } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { SourceChips } from '../parts/source-chip.tsx';
import { Panel } from './panel.tsx';

export function ConditionPanel({ lines }: { lines: ConditionLine[] }) {
  const active = lines.filter((line) => line.standing === 'active');
  const over = lines.filter((line) => line.standing !== 'active');
  return (
    <Panel anchor="conditions" title="Conditions" size={lines.length} empty="No conditions on record.">
      {active.length > 0 ? (
        <Lines lines={active} caption="Active conditions" />
      ) : (
        <p className="quiet small">None active.</p>
      )}
      {over.length > 0 && (
        <details>
          <summary className="small">Resolved and ruled out ({over.length})</summary>
          <Lines lines={over} caption="Resolved and ruled-out conditions" />
        </details>
      )}
    </Panel>
  );
}

function Lines({ lines, caption }: { lines: ConditionLine[]; caption: string }) {
  return (
    <div className="scroll-x">
      <table className="facts">
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Condition</th>
            <th scope="col" style={{ width: '52%' }}>
              Sources
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.statements[0]!.id}>
              <td>
                <strong title={codes(line)}>{line.name}</strong> {line.standing === 'refuted' && <Mark>Ruled out</Mark>}
                {line.standing === 'resolved' && <Mark>{line.status}</Mark>}
                {line.standing === 'active' && line.status !== 'active' && <Mark>{line.status}</Mark>}
                {line.verification && <Mark tone="warn">{line.verification}</Mark>}
                {line.disputed && <Mark tone="warn">Sources differ</Mark>}
                <div className="small quiet">
                  {line.onset ? `Since ${formatDate(line.onset)}` : 'Onset not stated'}
                  {line.abated && `, until ${formatDate(line.abated)}`}
                </div>
              </td>
              <td>
                <SourceChips resources={line.statements} dateOf={(condition: Condition) => condition.recordedDate} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function codes(line: ConditionLine): string {
  const labels = line.statements.flatMap((condition) => condition.code?.coding?.map(codingLabel) ?? []);
  return [...new Set(labels)].join(', ');
}
