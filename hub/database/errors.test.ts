import { describe, expect, test } from 'vitest';
import { sentenceFor, unreachable } from './errors.ts';

function failure(text: string, properties: object): Error {
  return Object.assign(new Error(text), properties);
}

describe('a database that cannot be connected to', () => {
  test.each([
    [failure('connect', { code: 'ECONNREFUSED', address: '::1', port: 5432 }), /nothing listens on ::1:5432/],
    [failure('connect', { code: 'ENOENT', address: '/run/.s.PGSQL.5432' }), /no socket \/run\/\.s\.PGSQL\.5432/],
    [failure('getaddrinfo', { code: 'ENOTFOUND', hostname: 'db.example' }), /no machine is called db\.example/],
    [failure('password authentication failed', { code: '28P01' }), /the role or its password is wrong/],
    [failure('database "hub" does not exist', { code: '3D000' }), /the database "hub" does not exist: make it/],
    [failure('The server does not support SSL connections', {}), /The server does not support SSL connections/],
    [new AggregateError([failure('connect', { code: 'ECONNREFUSED', address: '::1', port: 1 })]), /on ::1:1/],
  ])('%s', (error, sentence) => {
    const text = unreachable(error);
    expect(text).toMatch(sentence);
    expect(text).toMatch(/^The database cannot be used: .*DATABASE_URL/);
  });
});

describe('a server that does not start', () => {
  test.each([
    ['FATAL:  could not access status of transaction 761', /is damaged \(PostgreSQL says: could not access status/],
    ['FATAL:  required WAL directory "pg_wal" does not exist', /is damaged/],
    ['PANIC:  could not locate a valid checkpoint record', /is damaged/],
    ['FATAL:  could not write file: No space left on device', /There is no space left on the disk/],
    ['FATAL:  something new', /^PostgreSQL did not start in \/data: something new\.$/],
    ['', /it gave no reason/],
  ])('%s', (output, sentence) => {
    expect(sentenceFor(output, '/data')).toMatch(sentence);
  });
});
