/** The shapes of search that are timed, as statements of the form that the hub's search makes. */
import { typeCode } from '@causeway/fhir';
import { hash64 } from '../../hub/record/index.ts';
import type { Design } from './designs.ts';
import type { Known } from './source.ts';

export interface Statement {
  text: string;
  values: unknown[];
}

export interface Shape {
  name: string;
  /** A FHIR search of this shape. */
  example: string;
  statement(design: Design, known: Known, turn: number): Statement;
}

const page = 51;
const loinc = 'http://loinc.org';
const codes = ['8867-4', '8302-2', '29463-7', '39156-5', '9279-1'];

export const shapes: Shape[] = [
  {
    name: 'rare token',
    example: 'Patient?identifier=…',
    statement: (design, known, turn) =>
      found(design, 'Patient', [hash('Patient', 'identifier', at(known.identifiers, turn))]),
  },
  {
    name: 'frequent token, first page',
    example: 'Observation?category=vital-signs',
    statement: (design) => found(design, 'Observation', [hash('Observation', 'category', 'vital-signs')]),
  },
  {
    name: 'frequent token, a page in the middle',
    example: 'Observation?code=…&_cursor=…',
    statement: (design, known, turn) => {
      const statement = found(
        design,
        'Observation',
        [codeHash(turn)],
        `AND ${design.lookup === 'rows' ? 'lead' : 'r'}.rkey < $cursor`,
      );
      const cursor = `$${statement.values.push(known.patients.length * 80)}`;
      return { ...statement, text: statement.text.replace('$cursor', cursor) };
    },
  },
  {
    name: 'two tokens',
    example: 'Observation?code=…&status=final',
    statement: (design, _, turn) =>
      found(design, 'Observation', [codeHash(turn), hash('Observation', 'status', 'final')]),
  },
  {
    name: 'patient and code',
    example: 'Observation?patient=…&code=…',
    statement: (design, known, turn) => {
      const { rid, home } = at(known.patients, turn);
      const statement = found(design, 'Observation', [
        hash('Observation', 'patient', `Patient/${rid}`),
        codeHash(turn),
      ]);
      if (design.lookup === 'array') return statement;
      return {
        text: `SELECT r.home, r.rkey, r.body FROM ${design.schema}.resource r
               WHERE r.type = ${typeCode('Observation')} AND NOT r.deleted AND r.home = $1 AND r.tokens && $2::bigint[]
               ORDER BY r.rkey DESC LIMIT ${page}`,
        values: [home, `{${codeHash(turn)}}`],
      };
    },
  },
  {
    name: 'what refers to a resource',
    example: 'Observation?encounter=…',
    statement: (design, known, turn) =>
      found(design, 'Observation', [hash('Observation', 'encounter', `Encounter/${at(known.encounters, turn)}`)]),
  },
  {
    name: 'token and date range',
    example: 'Observation?code=…&date=ge2019-03&date=lt2019-05',
    statement: (design, _, turn) => {
      const { text, values } = found(design, 'Observation', [codeHash(turn)], 'AND $range');
      const [param, low, high] = [number('Observation', 'date'), Date.UTC(2019, 2), Date.UTC(2019, 4)].map(
        (value) => `$${values.push(value)}`,
      );
      const range = `EXISTS (SELECT 1 FROM ${design.schema}.index_range i WHERE i.home = r.home AND i.rkey = r.rkey
        AND i.param = ${param} AND i.high > ${low}::float8 AND i.low < ${high}::float8)`;
      return { text: text.replace('$range', range), values };
    },
  },
  {
    name: 'beginning of a string, and a token',
    example: 'Patient?name=…&gender=female',
    statement: ({ schema }, known, turn) => {
      const prefix = at(known.families, turn).toLowerCase().slice(0, 5);
      return {
        text: `SELECT r.home, r.rkey, r.body FROM (
                 SELECT DISTINCT i.home, i.rkey FROM ${schema}.index_string i
                 WHERE i.param = $1 AND i.value >= $2 AND i.value < $3) lead
               JOIN ${schema}.resource r ON r.home = lead.home AND r.rkey = lead.rkey
               WHERE r.type = ${typeCode('Patient')} AND NOT r.deleted AND r.tokens && $4::bigint[]
               ORDER BY r.rkey DESC LIMIT ${page}`,
        values: [number('Patient', 'name'), prefix, `${prefix}\u{10ffff}`, `{${hash('Patient', 'gender', 'female')}}`],
      };
    },
  },
  {
    name: 'count',
    example: 'Observation?code=…&_summary=count',
    statement: (design, _, turn) => {
      const { text, values } = found(design, 'Observation', [codeHash(turn)]);
      return {
        text: text.replace('r.home, r.rkey, r.body', 'count(*)').replace(/ORDER BY[\s\S]*$/, ''),
        values,
      };
    },
  },
];

/** The newest resources that have all these hashes; the first is the rarest, and leads. */
function found({ schema, lookup, joinsPlainly }: Design, type: string, hashes: bigint[], and = ''): Statement {
  const where = `r.type = ${typeCode(type)} AND NOT r.deleted`;
  const order = `ORDER BY r.rkey DESC LIMIT ${page}`;
  if (lookup === 'array') {
    return {
      text: `SELECT r.home, r.rkey, r.body FROM ${schema}.resource r WHERE ${where} AND r.tokens @> $1::bigint[] ${and} ${order}`,
      values: [`{${hashes.join(',')}}`],
    };
  }
  const values: unknown[] = [String(hashes[0])];
  const others = (joinsPlainly ? hashes : hashes.slice(1)).map(
    (hash) => `AND r.tokens && $${values.push(`{${hash}}`)}::bigint[]`,
  );
  const lead = `(SELECT home, rkey FROM ${schema}.index_token WHERE value = $1::bigint) lead`;
  const joined = joinsPlainly
    ? `${lead} JOIN ${schema}.resource r ON r.home = lead.home AND r.rkey = lead.rkey`
    : `${lead} CROSS JOIN LATERAL (SELECT * FROM ${schema}.resource c
         WHERE c.home = lead.home AND c.rkey = lead.rkey LIMIT 1) r`;
  return {
    text: `SELECT r.home, r.rkey, r.body FROM ${joined} WHERE ${where} ${others.join(' ')} ${and}
           ${joinsPlainly ? order : order.replace('r.rkey', 'lead.rkey')}`,
    values,
  };
}

/** The hashes that the hub writes: see `tokenHash` and `parameterNumber` of its record. */
function hash(type: string, code: string, spelling: string): bigint {
  return hash64(`${type}.${code}=${spelling}`);
}

function codeHash(turn: number): bigint {
  return hash('Observation', 'code', `${loinc}|${at(codes, turn)}`);
}

function number(type: string, code: string): number {
  return Number(BigInt.asIntN(32, hash64(`${type}.${code}`)));
}

function at<T>(items: T[], turn: number): T {
  return items[(turn * 37) % items.length]!;
}
