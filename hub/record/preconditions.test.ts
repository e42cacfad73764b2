import { describe, expect, it } from 'vitest';
import { RecordError } from './errors.ts';
import { checkPreconditions, isNamed } from './preconditions.ts';

const there = { version: 3, deleted: false };
const gone = { version: 4, deleted: true };
const statusOf = (run: () => void) => {
  try {
    run();
    return 200;
  } catch (error) {
    return (error as RecordError).status;
  }
};

describe('preconditions', () => {
  it.each([
    ['W/"3"', there, 200],
    ['"3"', there, 200],
    ['3', there, 200],
    [' W/"1", W/"3" ', there, 200],
    ['W/"2"', there, 412],
    ['W/"33"', there, 412],
    ['W/"abc"', there, 412],
    ['*', there, 200],
    ['*', undefined, 412],
    ['*', gone, 412],
    ['W/"4"', gone, 200],
    ['W/"3"', gone, 412],
    ['W/"1"', undefined, 412],
    ['', there, 400],
    ['abc', there, 400],
    ['W/3', there, 400],
    ['W/"3', there, 400],
    ['*, W/"3"', there, 400],
  ])('If-Match %s', (ifMatch, current, status) => {
    expect(statusOf(() => checkPreconditions({ ifMatch }, current))).toBe(status);
  });

  it.each([
    ['*', there, 412],
    ['*', gone, 200],
    ['*', undefined, 200],
    ['W/"3"', there, 412],
    ['W/"2"', there, 200],
    ['x', there, 400],
  ])('If-None-Match %s', (ifNoneMatch, current, status) => {
    expect(statusOf(() => checkPreconditions({ ifNoneMatch }, current))).toBe(status);
  });

  it('tells whether a read has something new', () => {
    expect([isNamed('W/"3"', 3), isNamed('"2", "3"', 3), isNamed('*', 3), isNamed('W/"2"', 3)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(() => isNamed('nonsense', 3)).toThrow(RecordError);
  });
});
