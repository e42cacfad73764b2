/**
 * Tones for marks and notices: background and text for light and dark, each pair at least 7:1 (WCAG 2.2 AAA for text).
 * A tone is never the only bearer of a meaning; the words beside it say the same.
 */
export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'info';

export const TONES: Record<'light' | 'dark', Record<Tone, { background: string; text: string; edge: string }>> = {
  light: {
    neutral: { background: '#e9ecf0', text: '#2c343d', edge: '#a3adb8' },
    good: { background: '#dff3e6', text: '#124a28', edge: '#3f8f5c' },
    warn: { background: '#fdf0cf', text: '#5e3c00', edge: '#b37a00' },
    bad: { background: '#fde4e1', text: '#7d1712', edge: '#c0392f' },
    info: { background: '#dcecf5', text: '#0b4060', edge: '#3179a8' },
  },
  dark: {
    neutral: { background: '#343b44', text: '#e8ecf1', edge: '#66717d' },
    good: { background: '#153a25', text: '#bdf0cf', edge: '#4fa56f' },
    warn: { background: '#45330a', text: '#ffe2a6', edge: '#c79a3a' },
    bad: { background: '#54201c', text: '#ffd3ce', edge: '#e0675c' },
    info: { background: '#12384f', text: '#c8e6f9', edge: '#5aa2cf' },
  },
};
