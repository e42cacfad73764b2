/** Counts and sizes for tables. */
const COUNT = new Intl.NumberFormat('en');

/** `12,345`; `–` for what is not told. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : COUNT.format(value);
}

/** Bytes as `812 B`, `4.1 KB`, `2.0 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  return value < 1_000_000 ? `${(value / 1000).toFixed(1)} KB` : `${(value / 1_000_000).toFixed(1)} MB`;
}

/** A probability in percent that never claims certainty: `> 99.9 %`, `96.3 %`, `< 0.1 %`. */
export function probabilityText(probability: number): string {
  if (probability > 0.999) return '> 99.9 %';
  if (probability < 0.001) return '< 0.1 %';
  return `${(probability * 100).toFixed(1)} %`;
}
