import { describe, expect, it } from 'vitest';
import { clocksOf, exceptions, observedKinds } from './exceptions.ts';

describe('the clocks of a request', () => {
  it('of a person: thirty days, whatever else', () => {
    const [owed, ...others] = clocksOf('2026-03-02', 'individual', undefined);
    expect([owed!.by, owed!.citation, others.length]).toEqual(['2026-04-01', '45 CFR 164.524(b)(2)', 0]);
  });

  it('of somebody else that nobody has decided on: ten business days, since it may be infeasible', () => {
    const [owed, ...others] = clocksOf('2026-11-25', 'provider', undefined);
    expect([owed!.by, owed!.citation, others.length]).toEqual(['2026-12-10', '45 CFR 171.204', 0]);
  });

  it('infeasible: the reason in writing within ten business days', () => {
    const owed = clocksOf('2026-03-02', 'individual', 'infeasibility');
    expect(owed.map(({ by }) => by)).toEqual(['2026-04-01', '2026-03-16']);
  });

  it('a licence: negotiations begin within ten, and end within thirty', () => {
    expect(clocksOf('2026-03-02', 'developer', 'licensing').map(({ by }) => by)).toEqual(['2026-03-16', '2026-04-13']);
  });

  it('privacy owes nothing within a time', () => {
    expect(clocksOf('2026-03-02', 'payer', 'privacy')).toEqual([]);
  });
});

it('each kind that the hub observes has an exception', () => {
  for (const { exception } of Object.values(observedKinds)) expect(Object.keys(exceptions)).toContain(exception);
});
