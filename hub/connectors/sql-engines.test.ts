import { describe, expect, it } from 'vitest';
import { statementFault } from './sql-engines.ts';

describe('what is wrong with a statement', () => {
  it.each([
    [
      {
        code: 'EREQUEST',
        number: 245,
        message: "Conversion failed when converting the varchar value 'Oak, Ann' to data type int.",
      },
    ],
    [{ code: 'EREQUEST', message: "The statement stopped at 'Oak, Ann'." }],
    [{ code: '22P02', message: 'invalid input syntax for type integer: "Oak, Ann"' }],
    [{ code: 'ER_TRUNCATED_WRONG_VALUE', message: "Truncated incorrect INTEGER value: 'Oak, Ann'" }],
  ])('is said without values of rows: $code $number', (error) => {
    expect(statementFault(Object.assign(new Error(error.message), error)).message).not.toContain('Oak');
  });

  it.each([
    [{ code: 'EREQUEST', number: 207, message: "Invalid column name 'chnaged'." }],
    [{ code: '42703', message: 'column "chnaged" does not exist' }],
    [{ code: 'ER_BAD_FIELD_ERROR', message: "Unknown column 'chnaged' in 'field list'" }],
  ])('is said in the words of the database where it is a name or the syntax: $code', (error) => {
    expect(statementFault(Object.assign(new Error(error.message), error)).message).toContain('chnaged');
  });
});
