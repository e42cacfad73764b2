import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphqlError } from '../errors.ts';
import { evaluate } from './evaluate.ts';
import { parseFhirPath } from './parse.ts';

const patient = {
  resourceType: 'Patient',
  active: true,
  birthDate: '1990-02-03',
  multipleBirthInteger: 2,
  name: [
    { use: 'official', family: 'Ruiz', given: ['Ana', 'Luz'] },
    { use: 'usual', given: ['Anita'] },
  ],
  extension: [{ url: 'urn:a', valueString: 'A' }],
  contained: [{ resourceType: 'Organization', name: 'Clinic' }],
};

function values(expression: string, mostSteps = 10_000): unknown[] {
  const parsed = parseFhirPath(expression);
  if (typeof parsed === 'string') throw new Error(parsed);
  let steps = 0;
  const step = (count = 1) => {
    steps += count;
    if (steps > mostSteps) throw new GraphqlError('too many steps');
  };
  return evaluate(parsed, { item: { value: patient, type: 'Patient' }, index: 3, step }).map(({ value }) => value);
}

describe('an expression', () => {
  test.each<[string, unknown[]]>([
    ['active', [true]],
    ['Patient.active', [true]],
    ['$this.active.not()', [false]],
    ['$index + 1', [4]],
    ['-$index < 0', [true]],
    ['name.given', ['Ana', 'Luz', 'Anita']],
    ['name[1].given', ['Anita']],
    ["name.where(use = 'official').family", ['Ruiz']],
    ['name.where($index = 1).use', ['usual']],
    ["name.exists(use = 'old')", [false]],
    ['name.all(given.exists())', [true]],
    ['name.select(use | family).count()', [3]],
    ['name.tail().use', ['usual']],
    ['name.given.skip(1).take(1)', ['Luz']],
    ['name.given.first() & name.given.last()', ['AnaAnita']],
    ['name.family.empty() or active', [true]],
    ['nothing.exists()', [false]],
    ['{}', []],
    ['{} and false', [false]],
    ['{} or true', [true]],
    ['{} and true', []],
    ['false implies {}', [true]],
    ['true xor true', [false]],
    ["'Ana' in name.given", [true]],
    ["name.given contains 'Bea'", [false]],
    ["name.family.startsWith('Ru') and name.family.endsWith('iz') and name.family.contains('ui')", [true]],
    ['name.family.lower() + name.family.upper()', ['ruizRUIZ']],
    ['name.family.length()', [4]],
    ['multipleBirth', [2]],
    ['multipleBirth is integer', [true]],
    ['multipleBirth.ofType(boolean)', []],
    ['(multipleBirth as integer) >= 2', [true]],
    ['multipleBirth.toString()', ['2']],
    ['birthDate < @1990-02-04', [true]],
    ['birthDate = @1990-02-03', [true]],
    ['birthDate > @1990', []],
    ["extension('urn:a').value", ['A']],
    ['contained.name', ['Clinic']],
    ['contained.ofType(Organization).name', ['Clinic']],
    ['contained is Resource', [true]],
    ['name.given.distinct().count() = name.given.count()', [true]],
    ["name != name | 'x'", [true]],
    ['active.hasValue()', [true]],
    ["'it\\'s \\u0041'", ["it's A"]],
    ['`active`', [true]],
  ])('%s', (expression, expected) => {
    expect(values(expression)).toEqual(expected);
  });

  test.each([
    ["name.matches('(a+)+$')", 'matches()'],
    ['descendants()', 'descendants()'],
    ['%resource', '%resource'],
    ['name.', 'name is expected'],
    ['(active', ') is expected'],
    ['name.where()', 'does not take 0'],
    ['active active', 'not expected'],
    ['a ? b', 'character 2'],
    [`${'('.repeat(100)}1${')'.repeat(100)}`, 'nested too deep'],
    ['a'.repeat(2_000), 'longer'],
  ])('%s is refused', (expression, why) => {
    expect(parseFhirPath(expression)).toContain(why);
  });

  test('that looks at too much ends', () => {
    const expression = `name${'.select($this | $this)'.repeat(10)}${'.where(%)'.repeat(8).replaceAll('%', 'given.exists()')}`;
    expect(() => values(`${expression}.distinct()`, 50)).toThrow(GraphqlError);
  });

  test('of any kind is refused, evaluated, or given up with a sentence', () => {
    const word = fc.constantFrom(
      ..."name given active birthDate . . ( ) [ ] { } = != < > | & + - and or implies is as in contains where( exists() first() $this $index 1 0 true 'x' @2020 integer String`".split(
        ' ',
      ),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, (expression) => {
        if (typeof parseFhirPath(expression) === 'string') return;
        try {
          expect(Array.isArray(values(expression))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(GraphqlError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
