/**
 * Quantities in one unit for each kind, so that `5 g` finds `5000 mg` (https://hl7.org/fhir/R4/search.html#quantity).
 * The part of UCUM (https://ucum.org/ucum) that clinical quantities use: metric prefixes, products, quotients, powers,
 * annotations and the atoms below; parentheses and other atoms give no canonical form.
 */

/** A value in base units; `unit` names them, e.g. `g.m-3` for a mass concentration, `1` for a plain ratio. */
export interface CanonicalQuantity {
  value: number;
  unit: string;
}

/** The canonical form of a value in a UCUM unit, rounded to 12 significant digits; undefined for other units. */
export function canonicalQuantity(value: number, code: string): CanonicalQuantity | undefined {
  const temperature = TEMPERATURES.get(code);
  if (temperature !== undefined) return { value: rounded(temperature(value)), unit: 'K' };
  let unit = known.get(code);
  if (unit === undefined) {
    unit = parseUnit(code) ?? null;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(code, unit);
  }
  const canonical = unit === null ? Number.NaN : rounded(value * unit.factor);
  return unit === null || !Number.isFinite(canonical) ? undefined : { value: canonical, unit: unit.name };
}

interface Unit {
  factor: number;
  name: string;
}

/** Units parsed before; codes come from outside, so there is an end to what is kept. */
const known = new Map<string, Unit | null>();
const MAX_KNOWN = 2000;
const MAX_LENGTH = 64;

/** Not ratios: these are canonical only alone. */
const TEMPERATURES = new Map<string, (value: number) => number>([
  ['Cel', (value) => value + 273.15],
  ['[degF]', (value) => ((value + 459.67) * 5) / 9],
]);

/** Factor, and powers of metre, second, gram and of what is no combination of these. */
type Atom = [factor: number, powers: Record<string, number>];

const PASCAL: Atom = [1000, { g: 1, m: -1, s: -2 }];

/** Atoms that take metric prefixes. */
const METRIC: ReadonlyMap<string, Atom> = new Map<string, Atom>([
  ['m', [1, { m: 1 }]],
  ['s', [1, { s: 1 }]],
  ['g', [1, { g: 1 }]],
  ['t', [1e6, { g: 1 }]],
  ['L', [1e-3, { m: 3 }]],
  ['l', [1e-3, { m: 3 }]],
  ['mol', [1, { mol: 1 }]],
  ['eq', [1, { mol: 1 }]],
  ['osm', [1, { mol: 1 }]],
  ['kat', [1, { mol: 1, s: -1 }]],
  ['U', [1e-6 / 60, { mol: 1, s: -1 }]],
  ['K', [1, { K: 1 }]],
  ['C', [1, { C: 1 }]],
  ['A', [1, { C: 1, s: -1 }]],
  ['V', [1000, { g: 1, m: 2, s: -2, C: -1 }]],
  ['Hz', [1, { s: -1 }]],
  ['N', [1000, { g: 1, m: 1, s: -2 }]],
  ['J', [1000, { g: 1, m: 2, s: -2 }]],
  ['cal', [4184, { g: 1, m: 2, s: -2 }]],
  ['W', [1000, { g: 1, m: 2, s: -3 }]],
  ['Pa', PASCAL],
  ['bar', [1e8, PASCAL[1]]],
  ['m[Hg]', [133_322_000, PASCAL[1]]],
  ['m[H2O]', [9_806_650, PASCAL[1]]],
  ['[iU]', [1, { '[iU]': 1 }]],
  ['[IU]', [1, { '[iU]': 1 }]],
]);

/** Atoms without prefixes. */
const PLAIN: ReadonlyMap<string, Atom> = new Map<string, Atom>([
  ['%', [0.01, {}]],
  ['[ppth]', [1e-3, {}]],
  ['[ppm]', [1e-6, {}]],
  ['[pH]', [1, { '[pH]': 1 }]],
  ['min', [60, { s: 1 }]],
  ['h', [3600, { s: 1 }]],
  ['d', [86_400, { s: 1 }]],
  ['wk', [604_800, { s: 1 }]],
  ['mo', [2_629_800, { s: 1 }]],
  ['a', [31_557_600, { s: 1 }]],
  ['[in_i]', [0.0254, { m: 1 }]],
  ['[ft_i]', [0.3048, { m: 1 }]],
  ['[lb_av]', [453.59237, { g: 1 }]],
  ['[oz_av]', [28.349523125, { g: 1 }]],
]);

const PREFIXES: ReadonlyMap<string, number> = new Map([
  ['T', 1e12],
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
  ['h', 1e2],
  ['da', 10],
  ['d', 0.1],
  ['c', 0.01],
  ['m', 1e-3],
  ['u', 1e-6],
  ['n', 1e-9],
  ['p', 1e-12],
  ['f', 1e-15],
]);

/** A component: its sign, a number, a power of ten, or an atom with a power; then an annotation. */
const COMPONENT =
  /([./]?)(?:10[*^]([+-]?\d{1,2})|(\d{1,9})|((?:[A-Za-z%]+(?:\[[^\]]*\])?|\[[^\]]*\]))([+-]?\d{1,2})?)?(\{[^}]*\})?/y;

function parseUnit(code: string): Unit | undefined {
  if (code === '' || code.length > MAX_LENGTH) return undefined;
  let factor = 1;
  const powers = new Map<string, number>();
  COMPONENT.lastIndex = 0;
  while (COMPONENT.lastIndex < code.length) {
    const start = COMPONENT.lastIndex;
    const found = COMPONENT.exec(code);
    if (found === null || found[0] === '' || found[0] === '.' || found[0] === '/') return undefined;
    const [, separator, ten, number, symbol, exponent] = found;
    if ((start > 0 && separator === '') || (start === 0 && separator === '.')) return undefined;
    const sign = separator === '/' ? -1 : 1;
    if (ten !== undefined) factor *= 10 ** (sign * Number(ten));
    else if (number !== undefined) factor *= Number(number) ** sign;
    else if (symbol !== undefined) {
      const atom = atomOf(symbol);
      if (atom === undefined) return undefined;
      const power = sign * Number(exponent ?? 1);
      factor *= atom[0] ** power;
      for (const [base, times] of Object.entries(atom[1])) powers.set(base, (powers.get(base) ?? 0) + times * power);
    }
  }
  const named = [...powers].filter(([, power]) => power !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const name = named.map(([base, power]) => (power === 1 ? base : `${base}${power}`)).join('.');
  return { factor, name: name === '' ? '1' : name };
}

function atomOf(symbol: string): Atom | undefined {
  const whole = PLAIN.get(symbol) ?? METRIC.get(symbol);
  if (whole !== undefined) return whole;
  for (const length of [1, 2]) {
    const prefix = PREFIXES.get(symbol.slice(0, length));
    const atom = METRIC.get(symbol.slice(length));
    if (prefix !== undefined && atom !== undefined) return [prefix * atom[0], atom[1]];
  }
  return undefined;
}

function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
