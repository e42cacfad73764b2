/** A small labelled mark: a sign and words in a tone, so that colour is never the only bearer of the meaning. */
import type { ReactNode } from 'react';
import type { Tone } from '../theme/tones.ts';

const SIGNS: Record<Tone, string> = { neutral: '', good: '✓', warn: '▲', bad: '■', info: '●' };

export function Mark({ tone = 'neutral', children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span
      className="mark"
      title={title}
      style={{ background: `var(--tone-${tone}-background)`, color: `var(--tone-${tone}-text)` }}
    >
      {SIGNS[tone] && (
        <span aria-hidden="true" style={{ fontSize: '0.7em' }}>
          {SIGNS[tone]}
        </span>
      )}
      {children}
    </span>
  );
}
