import { describe, expect, it } from 'vitest';
import { contrast } from './contrast.ts';
import { CAUSEWAY, SURFACES } from './theme.ts';
import { TONES } from './tones.ts';

describe('colours keep to WCAG AA', () => {
  it.each(['light', 'dark'] as const)('%s: text on every surface', (scheme) => {
    const { page, panel, text, dimmed, error } = SURFACES[scheme];
    for (const surface of [page, panel]) {
      for (const color of [text, dimmed, error, scheme === 'light' ? CAUSEWAY[7]! : CAUSEWAY[3]!]) {
        expect(contrast(color, surface), `${color} on ${surface}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
  it.each(['light', 'dark'] as const)('%s: marks at 7:1, their edges at 3:1', (scheme) => {
    for (const [tone, { background, text, edge }] of Object.entries(TONES[scheme])) {
      expect(contrast(text, background), tone).toBeGreaterThanOrEqual(7);
      if (tone !== 'neutral') expect(contrast(edge, SURFACES[scheme].panel), tone).toBeGreaterThanOrEqual(3);
    }
  });
  it('white text on primary buttons', () => {
    expect(contrast('#ffffff', CAUSEWAY[7]!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast('#ffffff', CAUSEWAY[6]!)).toBeGreaterThanOrEqual(4.5);
  });
});
