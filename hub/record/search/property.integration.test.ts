/**
 * Any search finds, over all of its pages, what the specification says it finds (FHIR R4 §3.1.1). The other side of the
 * comparison is written here from the specification, on the JSON itself; it shares nothing with the index.
 */
import { randomBytes, randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { clinician as access, custodian, testRecord } from '../../testing-record.ts';
import type { FhirRecord } from '../index.ts';

// biome-ignore lint/suspicious/noExplicitAny: resources of several types are looked into.
type Json = any;
type Type = 'Patient' | 'Observation' | 'Condition';
type Test = (resource: Json) => boolean;
/** A parameter with its value, and what it means. */
interface Condition {
  name: string;
  value: string;
  test: Test;
}

const seed = randomInt(2 ** 31);
const ucum = 'http://unitsofmeasure.org';
const families = [
  'Zürcher',
  'ZURBRIGGEN',
  'de la Cruz',
  'Ångström',
  'Li',
  'Lind',
  "O'Neil",
  'a,b',
  'x|y$z',
  '100%_\\',
  'Straße',
];
const codes = ['a', 'b', 'A', 'c|d', 'e,f', '1'];
const systems = ['urn:s', 'urn:t', undefined];
const dates = ['1999', '2000', '2000-02', '2000-02-29', '2000-03', '2000-02-29T12:00:00Z', '2000-02-29T23:30:00-05:00'];
const days = dates.filter((date) => !date.includes('T'));
const prefixes = ['', 'eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sa', 'eb'];
const amounts = [0.5, 1, 1.004, 1.04, 2, 500, 501, 502, 1000, 2000, -3, -3.01, 0];
const patientCount = 60;
const patients = Array.from({ length: patientCount }, (_, i) => `p${i}`);

const oneOf = <T>(values: readonly T[]) => fc.constantFrom(...values);
const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });
const coding = fc.record({ system: oneOf(systems), code: oneOf(codes) });
const concept = fc.record({ coding: fc.array(coding, { minLength: 1, maxLength: 3 }) });
const subject = oneOf(patients).map((id) => ({ reference: `Patient/${id}` }));
const quantity = fc.oneof(
  fc.record({ value: oneOf(amounts), system: fc.constant(ucum), code: oneOf(['mg', 'g', 'mmol']) }),
  fc.record({ value: oneOf(amounts), system: fc.constant('urn:units'), code: oneOf(['g', 'drops']) }),
);
const component = fc
  .record({ code: concept, valueQuantity: perhaps(quantity) })
  .map(({ valueQuantity, ...rest }) => ({ ...rest, ...(valueQuantity && { valueQuantity }) }));

/** A moment, or a time from one to another, either of which may be left open. */
const effective = fc.oneof(
  oneOf(dates).map((effectiveDateTime) => ({ effectiveDateTime })),
  fc
    .tuple(perhaps(oneOf(dates)), perhaps(oneOf(dates)))
    .filter(([start, end]) => (start ?? end) !== undefined && !(start && end && spanOf(start)[0] > spanOf(end)[0]))
    .map(([start, end]) => ({ effectivePeriod: { ...(start && { start }), ...(end && { end }) } })),
);

/** Each Patient is somebody else: no two of them are linked to one person. */
const patient = (i: number) =>
  fc
    .record({
      active: perhaps(fc.boolean()),
      gender: perhaps(oneOf(['male', 'female', 'other'])),
      birthDate: perhaps(oneOf(days)),
      identifier: perhaps(
        fc.array(fc.record({ system: oneOf(systems), value: oneOf(codes) }), { minLength: 1, maxLength: 2 }),
      ),
      families: fc.array(oneOf(families), { maxLength: 2 }),
    })
    .map(({ families, ...rest }) => ({
      resourceType: 'Patient',
      id: patients[i]!,
      name: [{ given: [`${randomBytes(6).toString('hex')}`] }, ...families.map((family) => ({ family }))],
      ...rest,
    }));
const observation = (i: number) =>
  fc
    .record({
      status: oneOf(['final', 'amended']),
      code: concept,
      subject: perhaps(subject),
      effective: perhaps(effective),
      valueQuantity: perhaps(quantity),
      component: perhaps(fc.array(component, { minLength: 1, maxLength: 2 })),
      category: perhaps(fc.array(concept, { minLength: 1, maxLength: 2 })),
    })
    .map(({ effective, ...rest }) => ({ resourceType: 'Observation', id: `o${i}`, ...rest, ...effective }));
const condition = (i: number) =>
  fc
    .record({
      code: perhaps(concept),
      subject,
      onsetDateTime: perhaps(oneOf(dates)),
      recordedDate: perhaps(oneOf(days)),
    })
    .map((rest) => ({ resourceType: 'Condition', id: `c${i}`, ...rest }));
const several = (make: (i: number) => fc.Arbitrary<Json>, count: number) =>
  fc.tuple(...Array.from({ length: count }, (_, i) => make(i)));
const dataset = fc
  .tuple(several(patient, patientCount), several(observation, 150), several(condition, 60))
  .map((lists) => lists.flat() as Json[]);

/** §3.1.1.4.6: separators in a value are escaped. */
const escaped = (value: string) => value.replace(/[\\,$|]/g, '\\$&');
const folded = (value: string) => value.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().toLowerCase();

/** §3.1.1.4.10: any of the codings fits any of the values. */
function tokenCondition(name: string, found: (resource: Json) => { system?: string; code: string }[]) {
  const wanted = fc.oneof(
    oneOf(codes).map((code) => ({ text: escaped(code), fits: (one: Json) => one.code === code })),
    coding.map(({ system, code }) => ({
      text: `${system ?? ''}|${escaped(code)}`,
      fits: (one: Json) => one.code === code && one.system === system,
    })),
    oneOf(['urn:s', 'urn:t']).map((system) => ({ text: `${system}|`, fits: (one: Json) => one.system === system })),
  );
  return fc.tuple(fc.array(wanted, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([values, isNot]): Condition => {
    const has = (resource: Json) => found(resource).some((one) => values.some(({ fits }) => fits(one)));
    return {
      name: isNot ? `${name}:not` : name,
      value: values.map(({ text }) => text).join(','),
      test: isNot ? (resource) => !has(resource) : has,
    };
  });
}

function codeCondition(name: string, values: readonly string[], found: (resource: Json) => Json) {
  return fc.tuple(oneOf(values), fc.boolean()).map(
    ([value, isNot]): Condition => ({
      name: isNot ? `${name}:not` : name,
      value,
      test: (resource) => (found(resource) !== undefined && String(found(resource)) === value) !== isNot,
    }),
  );
}

/** §3.1.1.4.9: from the beginning without case and accents; anywhere; exactly. */
function stringCondition(name: string, found: (resource: Json) => string[]) {
  const part = fc.tuple(oneOf(families), fc.nat(3), fc.integer({ min: 1, max: 12 }));
  return fc.tuple(part, oneOf(['', ':contains', ':exact'])).map(([[text, from, length], modifier]): Condition => {
    const value = (modifier === ':exact' ? text : text.slice(modifier === '' ? 0 : from, from + length)).trim() || text;
    const asked = folded(value);
    const fits = (one: string) => {
      if (modifier === ':exact') return one === value;
      return modifier === '' ? folded(one).startsWith(asked) : folded(one).includes(asked);
    };
    return { name: name + modifier, value: escaped(value), test: (resource) => found(resource).some(fits) };
  });
}

/** What a date covers, in milliseconds: start and the first moment after it. */
function spanOf(date: string): [number, number] {
  if (date.includes('T')) return [Date.parse(date), Date.parse(date) + 1_000];
  const [year, month, day] = date.split('-').map(Number) as [number, number?, number?];
  if (day !== undefined) return [Date.UTC(year, month! - 1, day), Date.UTC(year, month! - 1, day + 1)];
  if (month !== undefined) return [Date.UTC(year, month - 1), Date.UTC(year, month)];
  return [Date.UTC(year, 0), Date.UTC(year + 1, 0)];
}

/** The first and last time that there are. */
const [eldest, latest] = [Date.parse('0001-01-01T00:00:00Z'), Date.UTC(10_000, 0)];

function effectiveSpan({ effectiveDateTime, effectivePeriod }: Json): [number, number] | undefined {
  if (effectiveDateTime) return spanOf(effectiveDateTime);
  if (!effectivePeriod) return undefined;
  const { start, end } = effectivePeriod;
  return [start ? spanOf(start)[0] : eldest, end ? spanOf(end)[1] : latest];
}

/** §3.1.1.4.5 on spans of time; `ap` leaves a value off by half of what is asked for. */
function dateCondition(name: string, found: (resource: Json) => [number, number] | undefined) {
  const asked = fc.tuple(oneOf([...prefixes, 'ap']), oneOf(dates));
  return fc.array(asked, { minLength: 1, maxLength: 2 }).map((asked): Condition => {
    const fits = (prefix: string, wanted: string, [low, high]: [number, number]) => {
      const [from, to] = spanOf(wanted);
      const isWithin = low >= from && high <= to;
      switch (prefix) {
        case 'ne':
          return !isWithin;
        case 'gt':
          return high > to;
        case 'ge':
          return high > to || isWithin;
        case 'lt':
          return low < from;
        case 'le':
          return low < from || isWithin;
        case 'sa':
          return low >= to;
        case 'eb':
          return high <= from;
        case 'ap':
          return low <= to + (to - from) / 2 && high >= from - (to - from) / 2;
        default:
          return isWithin;
      }
    };
    return {
      name,
      value: asked.map(([prefix, date]) => prefix + date).join(','),
      test: (resource) => {
        const value = found(resource);
        return value !== undefined && asked.some(([prefix, date]) => fits(prefix, date, value));
      },
    };
  });
}

const grams: Record<string, number> = { mg: 0.001, g: 1 };

/** §3.1.1.4.11: equal within the precision that is written; units of mass are compared in grams. */
const quantitiesOf: Record<string, (resource: Json) => Json[]> = {
  'value-quantity': ({ valueQuantity }) => (valueQuantity ? [valueQuantity] : []),
  'component-value-quantity': ({ component = [] }) => component.flatMap((one: Json) => one.valueQuantity ?? []),
  'combo-value-quantity': (one) =>
    ['value-quantity', 'component-value-quantity'].flatMap((of) => quantitiesOf[of]!(one)),
};
const quantityCondition = fc
  .tuple(
    oneOf(Object.keys(quantitiesOf)),
    oneOf(prefixes),
    oneOf(['0.5', '1', '1.0', '1.04', '2', '500', '1000', '-3', '0', '7']),
    oneOf(['', `|${ucum}|g`, `|${ucum}|mg`, `|${ucum}|mmol`, '|urn:units|g', '|urn:units|drops']),
  )
  .map(([name, prefix, text, unit]): Condition => {
    const [, system, code] = unit.split('|');
    const half = 0.5 * 10 ** -(text.split('.')[1]?.length ?? 0);
    const fits = (of: Json) => {
      const isMass = system === ucum && code! in grams && of.system === ucum && of.code in grams;
      if (unit !== '' && !isMass && (of.system !== system || of.code !== code)) return false;
      const value = isMass
        ? (of.value * Math.round(grams[of.code]! * 1000)) / Math.round(grams[code!]! * 1000)
        : of.value;
      const asked = Number(text);
      const isEqual = value >= asked - half && value < asked + half;
      switch (prefix) {
        case 'ne':
          return !isEqual;
        case 'gt':
        case 'sa':
          return value > asked;
        case 'ge':
          return value >= asked;
        case 'lt':
        case 'eb':
          return value < asked;
        case 'le':
          return value <= asked;
        default:
          return isEqual;
      }
    };
    return { name, value: prefix + text + unit, test: (resource) => quantitiesOf[name]!(resource).some(fits) };
  });

const referenceCondition = fc
  .tuple(
    fc.array(oneOf(patients), { minLength: 1, maxLength: 8 }),
    oneOf(['subject', 'patient', 'subject:Patient']),
    fc.boolean(),
  )
  .map(
    ([ids, name, isFull]): Condition => ({
      name,
      value: ids.map((id) => (isFull ? `Patient/${id}` : id)).join(','),
      test: ({ subject: of }) => of !== undefined && ids.includes(of.reference.slice('Patient/'.length)),
    }),
  );

function missingCondition(name: string, found: (resource: Json) => unknown) {
  return fc.boolean().map(
    (isMissing): Condition => ({
      name: `${name}:missing`,
      value: String(isMissing),
      test: (resource) => (found(resource) === undefined) === isMissing,
    }),
  );
}

const idCondition = (ids: readonly string[]) =>
  fc
    .array(oneOf(ids), { minLength: 1, maxLength: 20 })
    .map((asked): Condition => ({ name: '_id', value: asked.join(','), test: ({ id }) => asked.includes(id) }));

const codingsOf = (...concepts: Json[]) => concepts.flatMap((one) => one?.coding ?? []);
const plain: Record<Type, fc.Arbitrary<Condition>> = {
  Patient: fc.oneof(
    stringCondition('family', ({ name }) => name.flatMap((one: Json) => one.family ?? [])),
    stringCondition('name', ({ name }) => name.flatMap((one: Json) => one.family ?? one.given)),
    codeCondition('gender', ['male', 'female', 'other', 'unknown'], ({ gender }) => gender),
    codeCondition('active', ['true', 'false'], ({ active }) => active),
    dateCondition('birthdate', ({ birthDate }) => birthDate && spanOf(birthDate)),
    tokenCondition('identifier', ({ identifier = [] }) =>
      identifier.map(({ system, value }: Json) => ({ system, code: value })),
    ),
    missingCondition('birthdate', ({ birthDate }) => birthDate),
    missingCondition('identifier', ({ identifier }) => identifier),
    idCondition(patients),
  ),
  Observation: fc.oneof(
    tokenCondition('code', ({ code }) => codingsOf(code)),
    tokenCondition('combo-code', ({ code, component = [] }) =>
      codingsOf(code, ...component.map((one: Json) => one.code)),
    ),
    tokenCondition('component-code', ({ component = [] }) => codingsOf(...component.map((one: Json) => one.code))),
    tokenCondition('category', ({ category = [] }) => codingsOf(...category)),
    codeCondition('status', ['final', 'amended', 'entered-in-error'], ({ status }) => status),
    dateCondition('date', effectiveSpan),
    quantityCondition,
    referenceCondition,
    missingCondition('subject', ({ subject }) => subject),
    missingCondition('value-quantity', ({ valueQuantity }) => valueQuantity),
    missingCondition('category', ({ category }) => category),
    missingCondition('combo-value-quantity', (one) => quantitiesOf['combo-value-quantity']!(one)[0]),
  ),
  Condition: fc.oneof(
    tokenCondition('code', ({ code }) => codingsOf(code)),
    dateCondition('onset-date', ({ onsetDateTime }) => onsetDateTime && spanOf(onsetDateTime)),
    dateCondition('recorded-date', ({ recordedDate }) => recordedDate && spanOf(recordedDate)),
    referenceCondition,
    missingCondition('code', ({ code }) => code),
  ),
};

let held: Map<string, Json>;
const all = (type: Type) => [...held.values()].filter((one) => one.resourceType === type);

/** `:exact` is refused at the end of a chain. */
const isChainable = ({ name }: Condition) => !name.endsWith(':exact');

/** What refers to a Patient is found by what the Patient says. */
const chained = (inner: fc.Arbitrary<Condition>) =>
  fc.tuple(inner.filter(isChainable), oneOf(['subject:Patient', 'patient'])).map(
    ([{ name, value, test }, by]): Condition => ({
      name: `${by}.${name}`,
      value,
      test: ({ subject: of }) => {
        const target = of && held.get(of.reference);
        return target !== undefined && test(target);
      },
    }),
  );

/** A Patient is found by what refers to it. */
const reversed = fc
  .oneof(
    plain.Observation.map((inner) => ({ type: 'Observation' as const, inner })),
    plain.Condition.map((inner) => ({ type: 'Condition' as const, inner })),
  )
  .map(
    ({ type, inner }): Condition => ({
      name: `_has:${type}:patient:${inner.name}`,
      value: inner.value,
      test: ({ id }) => all(type).some((one) => one.subject?.reference === `Patient/${id}` && inner.test(one)),
    }),
  );

/** `_filter` (§3.1.3): terms joined by `and`, `or` and `not`, as the words of the expression say. */
const expressions = fc.letrec<{ any: Condition }>((tie) => {
  const gender = oneOf(['male', 'female', 'other']).map(
    (value): Condition => ({ name: '', value: `gender eq ${value}`, test: (one) => one.gender === value }),
  );
  const unlike = oneOf(['male', 'female']).map(
    (value): Condition => ({ name: '', value: `gender ne ${value}`, test: (one) => one.gender !== value }),
  );
  const family = oneOf(['zur', 'li', 'ang', 'de la']).map(
    (value): Condition => ({
      name: '',
      value: `family sw "${value}"`,
      test: ({ name }) => name.some((one: Json) => one.family && folded(one.family).startsWith(value)),
    }),
  );
  const birth = oneOf(days).map(
    (value): Condition => ({
      name: '',
      value: `birthdate lt ${value}`,
      test: ({ birthDate }) => birthDate !== undefined && spanOf(birthDate)[0] < spanOf(value)[0],
    }),
  );
  const joined = fc.tuple(tie('any'), oneOf(['and', 'or']), tie('any')).map(
    ([one, word, other]): Condition => ({
      name: '',
      value: `(${one.value} ${word} ${other.value})`,
      test:
        word === 'and'
          ? (resource) => one.test(resource) && other.test(resource)
          : (resource) => one.test(resource) || other.test(resource),
    }),
  );
  const not = tie('any').map(
    ({ value, test }): Condition => ({ name: '', value: `not (${value})`, test: (resource) => !test(resource) }),
  );
  return { any: fc.oneof({ maxDepth: 3 }, gender, unlike, family, birth, joined, not) };
});
const filterCondition = expressions.any.map((expression): Condition => ({ ...expression, name: '_filter' }));

const patientCondition = fc.oneof({ arbitrary: plain.Patient, weight: 3 }, { arbitrary: reversed, weight: 2 });
const conditions: Record<Type, fc.Arbitrary<Condition>> = {
  Patient: fc.oneof({ arbitrary: patientCondition, weight: 5 }, { arbitrary: filterCondition, weight: 1 }),
  Observation: fc.oneof(
    { arbitrary: plain.Observation, weight: 3 },
    { arbitrary: chained(patientCondition), weight: 1 },
  ),
  Condition: fc.oneof({ arbitrary: plain.Condition, weight: 3 }, { arbitrary: chained(patientCondition), weight: 1 }),
};

/** What a resource is sorted by, upwards; undefined where it has nothing, which comes last in both directions. */
const sorts: Record<Type, Record<string, (resource: Json) => (string | number)[]>> = {
  Patient: {
    family: ({ name }) => name.flatMap((one: Json) => (one.family ? [folded(one.family)] : [])),
    birthdate: ({ birthDate }) => (birthDate ? [spanOf(birthDate)[0]] : []),
    gender: ({ gender }) => (gender ? [gender] : []),
  },
  Observation: {
    date: (one) => effectiveSpan(one)?.slice(0, 1) ?? [],
    'value-quantity': (one) => quantitiesOf['value-quantity']!(one).map(({ value }) => value),
    'combo-value-quantity': (one) => quantitiesOf['combo-value-quantity']!(one).map(({ value }) => value),
    status: ({ status }) => [status],
  },
  Condition: {
    'onset-date': ({ onsetDateTime }) => (onsetDateTime ? [spanOf(onsetDateTime)[0]] : []),
    subject: ({ subject: of }) => [of.reference],
  },
};

/** A time from one to another. */
const window = fc.oneof(
  fc.tuple(
    ...([1, 2].map(() => dateCondition('date', effectiveSpan)) as [fc.Arbitrary<Condition>, fc.Arbitrary<Condition>]),
  ),
  fc.constant<Condition[]>([]),
);

const query = oneOf(['Patient', 'Observation', 'Condition'] as const).chain((type) =>
  fc.record({
    type: fc.constant(type),
    conditions: fc
      .tuple(fc.array(conditions[type], { maxLength: 3 }), type === 'Observation' ? window : fc.constant([]))
      .map((lists) => lists.flat()),
    sort: perhaps(fc.tuple(oneOf(Object.keys(sorts[type])), fc.boolean())),
    count: oneOf([7, 20, 1_000]),
  }),
);

let test: TestDatabase;
let record: FhirRecord;
beforeAll(async () => {
  ({ test, record } = await testRecord());
  const [before, after] = fc.sample(dataset, { numRuns: 2, seed }) as [Json[], Json[]];
  await store(before);
  // Every third is changed, every eleventh is deleted: neither is found by what it was.
  const current = before.map((one, i) => (i % 3 === 0 ? after[i] : one));
  await store(current.filter((_, i) => i % 3 === 0));
  const gone = current.filter((one, i) => i % 11 === 5 && one.resourceType !== 'Patient');
  for (const { resourceType, id } of gone) await record.remove(custodian, resourceType, id);
  held = new Map(current.map((one) => [`${one.resourceType}/${one.id}`, JSON.parse(JSON.stringify(one))]));
  for (const { resourceType, id } of gone) held.delete(`${resourceType}/${id}`);
  const { rows } = await test.database.query('SELECT count(DISTINCT person) AS persons FROM link');
  expect(Number(rows[0]!.persons)).toBe(patientCount);
});
afterAll(() => test.drop());

async function store(resources: Json[]): Promise<void> {
  await Promise.all(
    resources.map((one) => record.update(custodian, record.scan(JSON.stringify(one), one.resourceType), one.id)),
  );
}

async function search(type: Type, parameters: [string, string][], limit: number): Promise<Json[]> {
  const found: Json[] = [];
  for (let cursor: string | undefined, pages = 0; ; pages++) {
    expect(pages).toBeLessThan(limit);
    const paged: [string, string][] = cursor === undefined ? parameters : [...parameters, ['_cursor', cursor]];
    const page = await record.search(access, record.readSearch(type, paged, false));
    found.push(...page.matches.map(({ text }) => JSON.parse(text)));
    if (page.next === undefined) return found;
    cursor = page.next;
  }
}

const shown = (key: (string | number)[], isDown: boolean) =>
  key.length === 0 ? undefined : key.reduce((best, one) => ((isDown ? one > best : one < best) ? one : best));

it('any search finds what the specification says, once, in its order', { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(query, async ({ type, conditions, sort, count }) => {
    const parameters = conditions.map(({ name, value }): [string, string] => [name, value]);
    if (sort) parameters.push(['_sort', `${sort[1] ? '-' : ''}${sort[0]}`]);
    const expected = all(type).filter((one) => conditions.every(({ test }) => test(one)));
    const paged: [string, string][] = [...parameters, ['_count', String(count)]];
    const found = await search(type, paged, Math.ceil(expected.length / count) + 2);
    const what = `seed ${seed}: ${type}?${parameters.map((pair) => pair.join('=')).join('&')}`;
    expect(found.map(({ id }) => id).sort(), what).toEqual(expected.map(({ id }) => id).sort());
    const { total } = await record.search(
      access,
      record.readSearch(type, [...parameters, ['_total', 'accurate']], false),
    );
    expect(total, what).toBe(expected.length);
    if (!sort) return;
    const keys = found.map((one) => shown(sorts[type][sort[0]]!(one), sort[1]));
    const ordered = [...keys].sort((a, b) => {
      if (a === b) return 0;
      if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
      return (a < b ? -1 : 1) * (sort[1] ? -1 : 1);
    });
    expect(keys, what).toEqual(ordered);
  });
  await fc.assert(property, { numRuns: 400, seed, interruptAfterTimeLimit: 30_000 });
});
