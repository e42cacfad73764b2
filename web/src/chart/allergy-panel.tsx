/** Allergies, first and prominent: what is known, what was denied, and whether anything is known at all. */
import type { AllergyLine, AllergySummary } from '../fhir/allergies.ts';
import { Mark } from '../parts/mark.tsx';
import { SourceChips } from '../parts/source-chip.tsx';
import type { Tone } from '../theme/tones.ts';

const TONE: Record<AllergySummary['state'], Tone> = {
  recorded: 'bad',
  'none-known': 'neutral',
  'no-information': 'warn',
};

export function AllergyPanel({ summary }: { summary: AllergySummary }) {
  const { active, inactive, denied, noneKnown, state } = summary;
  return (
    <section
      className="panel"
      id="allergies"
      aria-labelledby="allergies-title"
      data-state={state}
      style={{ borderLeft: `6px solid var(--tone-${TONE[state]}-edge)` }}
    >
      <h2 id="allergies-title">Allergies and intolerances</h2>
      {state === 'no-information' && (
        <p style={{ margin: 0 }}>
          <Mark tone="warn">No allergy information</Mark>{' '}
          {noneKnown.length + denied.length > 0
            ? 'Only the denials below are on record. There may be other allergies: ask.'
            : 'No organisation has sent any. This does not mean that there are no allergies: ask.'}
        </p>
      )}
      {active.length > 0 && (
        <ul style={{ listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '0.4rem' }}>
          {active.map((line) => (
            <ActiveAllergy key={line.statements[0]!.id} line={line} />
          ))}
        </ul>
      )}
      {noneKnown.map(({ words, statements, general }) => (
        <p key={words} style={{ margin: '0.4rem 0 0' }}>
          <Mark tone={active.length > 0 || !general ? 'neutral' : 'good'}>{words}</Mark>{' '}
          <span className="small">
            {active.length > 0 && general ? 'stated against the allergies above by ' : 'stated by '}
          </span>
          <SourceChips resources={statements} dateOf={recordedDate} />
        </p>
      ))}
      {denied.map(({ substance, statements }) => (
        <p key={statements[0]!.id} className="small" style={{ margin: '0.4rem 0 0' }}>
          <Mark>Denied</Mark> Not allergic to {substance}, according to{' '}
          <SourceChips resources={statements} dateOf={recordedDate} />
        </p>
      ))}
      {inactive.length > 0 && (
        <p className="small" style={{ margin: '0.4rem 0 0' }}>
          <Mark>No longer active</Mark>{' '}
          {inactive.map((line, at) => (
            <span key={line.statements[0]!.id}>
              {at > 0 && '; '}
              {line.substance} <SourceChips resources={line.statements} dateOf={recordedDate} />
            </span>
          ))}
        </p>
      )}
    </section>
  );
}

function ActiveAllergy({ line }: { line: AllergyLine }) {
  return (
    <li data-allergy="" style={{ display: 'flex', flexWrap: 'wrap', gap: '0.2rem 0.8rem', alignItems: 'baseline' }}>
      <strong style={{ fontSize: '1.05rem' }}>{line.substance}</strong>
      {line.criticality === 'high' && <Mark tone="bad">High risk</Mark>}
      {line.criticality === 'low' && <Mark>Low risk</Mark>}
      {line.criticality !== 'high' && line.criticality !== 'low' && <Mark tone="warn">Risk not stated</Mark>}
      {line.verification && <Mark>{line.verification}</Mark>}
      <span>{line.reactions.join(', ') || 'Reaction not stated'}</span>
      {line.category && <span className="quiet small">{line.category}</span>}
      <SourceChips resources={line.statements} dateOf={recordedDate} />
      {line.deniedBy.length > 0 && (
        <span className="small">
          <Mark tone="warn">Sources differ</Mark> denied by{' '}
          <SourceChips resources={line.deniedBy} dateOf={recordedDate} />
        </span>
      )}
    </li>
  );
}

function recordedDate(allergy: { recordedDate?: string; onsetDateTime?: string }): string | undefined {
  return allergy.recordedDate ?? allergy.onsetDateTime;
}
