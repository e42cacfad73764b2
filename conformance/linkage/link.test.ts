import { prepare } from '@causeway/matching';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../csv.ts';
import { demographicsIn } from './columns.ts';
import { linkRecords, qualityOf } from './link.ts';

const TABLE = `id, given_name, surname, date_of_birth, address_1, postcode, phone_number, ssn
1, Anneliese, Trautwein, 19611103, 12 Elm Street, 04001, 555-0177, 219-09-9999
2, Anneliese, "Trautwein", 1961-11-03, "12 Elm Street, ""rear""", 04001, 5550177,
3, Bartholomew, Quigley, 19850214, 9 Oak Lane, 04002, 555-0188,
`;

describe('tables', () => {
  const { columns, rows } = readCsv(TABLE);

  it('are read with quotes and blanks', () => {
    expect(columns).toHaveLength(8);
    expect(rows).toHaveLength(3);
    expect(rows[1]!.address_1).toBe('12 Elm Street, "rear"');
  });

  it('become demographics by the names of their columns', () => {
    const { names, birthDate, identifiers } = demographicsIn(rows[0]!);
    expect(names[0]).toMatchObject({ family: 'Trautwein', given: ['Anneliese'] });
    expect(birthDate).toBe('1961-11-03');
    expect(identifiers).toEqual([{ system: 'http://hl7.org/fhir/sid/us-ssn', type: 'SS', value: '219-09-9999' }]);
  });

  it('are linked, and the links judged', () => {
    const records = rows.map((row) => ({ id: row.id!, prepared: prepare(demographicsIn(row)) }));
    const { clusters } = linkRecords(records);
    expect(clusters).toEqual([['1', '2'], ['3']]);
    const truth = new Map([
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'a'],
    ]);
    expect(qualityOf(clusters, truth)).toMatchObject({ true_pairs: 3, found_pairs: 1, precision: 100, recall: 33.33 });
    expect(qualityOf([['1', '2', '3']], new Map([...truth, ['3', 'b']]))).toMatchObject({
      precision: 33.33,
      recall: 100,
    });
  });
});
