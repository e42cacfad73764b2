/** Units as people print them (https://ucum.org). It stands alone, so that it runs anywhere. */

/** UCUM codes whose print form everybody knows better. */
const words: { [unit: string]: string } = {
  '1': '',
  'mm[Hg]': 'mmHg',
  Cel: '°C',
  '[degF]': '°F',
  '[lb_av]': 'lb',
  '[in_i]': 'in',
  '[IU]': 'units',
  '[iU]': 'units',
  '[IU]/L': 'IU/L',
  umol: 'µmol',
  'umol/L': 'µmol/L',
  'ug/L': 'µg/L',
  'kg/m2': 'kg/m²',
  '10*3/uL': '10³/µL',
  '10*6/uL': '10⁶/µL',
  '10*9/L': '10⁹/L',
  '10*12/L': '10¹²/L',
};

/** A unit as its source prints it; UCUM codes in their print form, curly annotations (`{score}`) as words. */
export function unitWords(unit: string): string {
  if (Object.hasOwn(words, unit)) return words[unit]!;
  return unit.replaceAll(/\{([^}]*)\}/g, (_, annotation: string) => annotation.replaceAll('_', ' '));
}
