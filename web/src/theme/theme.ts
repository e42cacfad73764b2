/**
 * Our theme over Mantine: own primary colour and own quiet text, placeholder and error colours, because Mantine's
 * defaults stay below 4.5:1 on their backgrounds.
 */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';
import { TONES } from './tones.ts';

/** Deep teal, lightest first. Shade 7 carries white text; shades 3 and 4 are text on dark. */
export const CAUSEWAY: MantineColorsTuple = [
  '#e6f4f6',
  '#cfe7eb',
  '#a3d3db',
  '#7cc3cf',
  '#5db5c4',
  '#2f8b9c',
  '#16707f',
  '#0b5d6b',
  '#084b57',
  '#063a44',
];

/** Text and surface colours that are not Mantine's. */
export const SURFACES = {
  light: { page: '#f4f6f8', panel: '#ffffff', text: '#171d23', dimmed: '#4f5964', error: '#a3211a', line: '#d5dbe1' },
  dark: { page: '#14181c', panel: '#1d2329', text: '#e9edf1', dimmed: '#aeb8c2', error: '#ff9d94', line: '#3a444e' },
} as const;

export const theme = createTheme({
  colors: { causeway: CAUSEWAY },
  primaryColor: 'causeway',
  primaryShade: { light: 7, dark: 6 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "Liberation Mono", "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  respectReducedMotion: true,
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.1rem' }, h3: { fontSize: '0.95rem' } },
  },
  components: { Anchor: { defaultProps: { underline: 'hover' } } },
});

/** CSS variables by colour scheme, those of the tones among them: `--tone-warn-background`. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: schemeVariables('light'),
  dark: schemeVariables('dark'),
});

function schemeVariables(scheme: 'light' | 'dark'): Record<string, string> {
  const surface = SURFACES[scheme];
  const variables: Record<string, string> = {
    '--mantine-color-body': surface.panel,
    '--mantine-color-text': surface.text,
    '--mantine-color-dimmed': surface.dimmed,
    '--mantine-color-placeholder': surface.dimmed,
    '--mantine-color-error': surface.error,
    '--mantine-color-anchor': scheme === 'light' ? CAUSEWAY[7] : CAUSEWAY[3],
    '--mantine-color-default-border': surface.line,
    '--page': surface.page,
    '--panel': surface.panel,
    '--line': surface.line,
  };
  for (const [tone, colors] of Object.entries(TONES[scheme])) {
    variables[`--tone-${tone}-background`] = colors.background;
    variables[`--tone-${tone}-text`] = colors.text;
    variables[`--tone-${tone}-edge`] = colors.edge;
  }
  return variables;
}
