/** A framed sentence or two: what went wrong, what is empty, what to bear in mind. */
import type { ReactNode } from 'react';
import type { Tone } from '../theme/tones.ts';

export function Notice({ tone = 'neutral', title, children }: { tone?: Tone; title?: string; children?: ReactNode }) {
  return (
    <div
      role={tone === 'bad' ? 'alert' : undefined}
      style={{
        background: `var(--tone-${tone}-background)`,
        color: `var(--tone-${tone}-text)`,
        borderLeft: `4px solid var(--tone-${tone}-edge)`,
        borderRadius: 4,
        padding: '0.55rem 0.9rem',
        fontSize: '0.9rem',
      }}
    >
      {title && <strong>{title} </strong>}
      {children}
    </div>
  );
}
