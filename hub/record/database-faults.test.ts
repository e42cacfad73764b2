import { describe, expect, it } from 'vitest';
import { recordErrorOf } from './database-faults.ts';
import { RecordError } from './errors.ts';

const fault = (code: string | undefined, message = 'x') => Object.assign(new Error(message), code ? { code } : {});

describe('faults of the database', () => {
  it.each([
    ['22021', 400, 'value'],
    ['57014', 503, 'timeout'],
    ['40P01', 503, 'lock-error'],
    ['55P03', 503, 'lock-error'],
    ['53300', 503, 'throttled'],
    ['53100', 507, 'no-store'],
    ['42P01', 503, 'transient'],
    ['42501', 503, 'transient'],
    ['XX001', 503, 'transient'],
    ['57P01', 503, 'transient'],
    ['08006', 503, 'transient'],
    ['ECONNREFUSED', 503, 'transient'],
  ])('%s is an error a client can act on', (code, status, issue) => {
    const error = recordErrorOf(fault(code))!;
    expect([error.status, error.issues[0]!.code]).toEqual([status, issue]);
    expect('retry-after' in error.headers).toBe(status >= 500);
  });

  it('knows a lost connection by what the driver says', () => {
    expect(recordErrorOf(fault(undefined, 'Connection terminated unexpectedly'))?.status).toBe(503);
    expect(recordErrorOf(fault(undefined, 'timeout exceeded when trying to connect'))?.status).toBe(503);
  });

  it('leaves the faults of the hub what they are', () => {
    for (const own of [fault('42703'), fault('23505'), new TypeError('x'), 'text', undefined]) {
      expect(recordErrorOf(own)).toBeUndefined();
    }
    const error = new RecordError(404, 'not-found', 'x');
    expect(recordErrorOf(error)).toBe(error);
  });
});
