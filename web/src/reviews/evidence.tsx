/** What each field adds to or takes from the score, as signed bars in bits with the figures beside them. */
import type { FieldEvidence } from '../api/contract.ts';

export function Evidence({ explanation, score }: { explanation: FieldEvidence[]; score: number }) {
  const telling = explanation.filter((each) => Math.abs(each.weight) >= 0.05);
  const silent = explanation.filter((each) => Math.abs(each.weight) < 0.05);
  const largest = Math.max(1, ...explanation.map((each) => Math.abs(each.weight)));
  return (
    <table className="facts evidence">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Comparison</th>
          <th scope="col">Against · for</th>
          <th scope="col" style={{ textAlign: 'right' }}>
            Bits
          </th>
        </tr>
      </thead>
      <tbody>
        {telling.map((each) => (
          <tr key={each.field}>
            <th scope="row">{each.label}</th>
            <td className="small">{each.meaning ?? each.level}</td>
            <td>
              <Bar share={each.weight / largest} />
            </td>
            <td className="number">{signed(each.weight)}</td>
          </tr>
        ))}
        {silent.length > 0 && (
          <tr>
            <th scope="row">No bearing</th>
            <td colSpan={3} className="small quiet">
              {silent.map((each) => each.label).join(', ')}
            </td>
          </tr>
        )}
        <tr>
          <th scope="row">Together</th>
          <td />
          <td />
          <td className="number">
            <strong>{signed(score)}</strong>
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function Bar({ share }: { share: number }) {
  const width = `${(Math.abs(share) * 50).toFixed(1)}%`;
  return (
    <div className="evidence-bar" aria-hidden="true">
      <span
        style={{
          width,
          left: share < 0 ? undefined : '50%',
          right: share < 0 ? '50%' : undefined,
          background: `var(--tone-${share < 0 ? 'bad' : 'good'}-edge)`,
        }}
      />
    </div>
  );
}

function signed(weight: number): string {
  return `${weight < 0 ? '−' : '+'}${Math.abs(weight).toFixed(1)}`;
}
