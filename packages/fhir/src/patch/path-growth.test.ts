import { expect, it } from 'vitest';
import { applyFhirPathPatch } from './fhirpath-patch.ts';

const resource = JSON.stringify({ resourceType: 'Patient', name: [{ family: 'A'.repeat(400) }] });
const patched = (path: string) => {
  const part = [
    { name: 'type', valueCode: 'delete' },
    { name: 'path', valueString: path },
  ];
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] };
  return applyFhirPathPatch(resource, JSON.stringify(parameters), 500);
};

it.each([
  // A twentieth of this fills a gigabyte, in no time.
  [`Patient.name.where(family${'.select($this&$this)'.repeat(20)}.contains('zz'))`, '&'],
  [`Patient.name.where(family${'.select($this + $this)'.repeat(15)}.contains('zz'))`, '+'],
  ["Patient.name.where(family.replace('A', 'AAAA').length() > 1)", 'replace()'],
  ["Patient.name.where(family.`replace`('A', 'AAAA').length() > 1)", '`replace`()'.replaceAll('`', '')],
  ["Patient.name.where(family.replaceMatches('A', 'AAAA').length() > 1)", 'replaceMatches()'],
  ['Patient.name.where(family.toChars().count() > 1)', 'toChars()'],
  ["Patient.name.where(family.join('AA').length() > 1)", 'join()'],
  ["Patient.name.where(family.encode('hex').length() > 1)", 'encode()'],
  ["Patient.defineVariable('a', name.combine(name)).name", 'defineVariable()'],
  ['Patient.name.combine(name)', 'combine()'],
  ['Patient.name.aggregate($total | $this)', 'aggregate()'],
  ['Patient.name.where((1.5).round(1000) > 1)', 'round()'],
  ['Patient.name.invented()', 'invented()'],
])('a path may not use what makes values longer: %s', (path, part) => {
  expect(patched(path)).toMatchObject({ code: 'not-supported', error: expect.stringContaining(`may not use ${part}`) });
});

it.each([
  "Patient.name.where(family.startsWith('A') and family.length() = 400)",
  "Patient.descendants().where($this is HumanName and family.upper().matches('^A+$')).first()",
  'Patient.name.skip(0).take(1).select($this)',
  '(Patient.name | Patient.name).where(iif(family.exists(), family.count() - 1 = 0, false))',
])('a path may use what does not: %s', (path) => {
  expect(patched(path)).toBe('{"resourceType":"Patient"}');
});
