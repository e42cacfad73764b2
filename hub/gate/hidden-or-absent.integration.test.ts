/**
 * A11: how long an answer takes does not tell what is hidden from what is not there. Reads of both, interleaved by chance,
 * are compared by the two-sample Kolmogorov–Smirnov test. Times depend on what else the machine does, so it is run when
 * it is asked for: `HIDDEN_OR_ABSENT=2000`, the number of reads of each.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { random } from '../testing-consents.ts';
import { accessOf } from '../trust/index.ts';
import { Authenticator } from './authenticate.ts';

const reads = Number(process.env.HIDDEN_OR_ABSENT ?? 0);
const hidden = 50;

let hub: TestHub;
let token: string;

beforeAll(async () => {
  if (reads === 0) return;
  hub = await startTestHub();
  const called = vi.spyOn(Authenticator.prototype, 'caller');
  await hub.send('PUT', '/fhir/Patient/other', { resourceType: 'Patient', id: 'other' });
  for (let i = 0; i < hidden; i++) {
    const id = `hidden-${i}`;
    const subject = { reference: 'Patient/other' };
    const code = { text: 'x' };
    const observation = { resourceType: 'Observation', id, status: 'final', code, subject };
    expect((await hub.send('PUT', `/fhir/Observation/${id}`, observation)).status).toBe(201);
  }
  const authenticator = called.mock.contexts[0] as Authenticator;
  called.mockRestore();
  // Bound to a home that is not the other's.
  const access = accessOf({ username: 'p', name: 'P', role: 'patient', organization: 'o', homes: [9_999_999] });
  token = authenticator.lend({ ...access, site: undefined }).token;
});
afterAll(() => hub?.stop());

it.skipIf(reads === 0)(
  `${reads} reads of what is hidden and of what is absent take the same times`,
  async () => {
    const r = random(11);
    const took: { [kind: string]: number[] } = { hidden: [], absent: [] };
    const headers = { authorization: `Bearer ${token}` };
    const read = async (kind: 'hidden' | 'absent') => {
      const path = `/fhir/Observation/${kind}-${r.below(hidden)}`;
      const begun = performance.now();
      const { status } = await hub.get(path, { headers });
      expect(status).toBe(404);
      return performance.now() - begun;
    };
    for (let i = 0; i < 200; i++) await read(i % 2 === 0 ? 'hidden' : 'absent');
    for (let i = 0; i < reads; i++) {
      const order = r.chance(0.5) ? (['hidden', 'absent'] as const) : (['absent', 'hidden'] as const);
      for (const kind of order) took[kind]!.push(await read(kind));
    }
    const p = sameDistribution(took.hidden!, took.absent!);
    expect(p, `medians ${median(took.hidden!)} and ${median(took.absent!)} ms`).toBeGreaterThan(0.01);
  },
  600_000,
);

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** The probability that two samples of one distribution differ as much as these (Kolmogorov's series). */
function sameDistribution(one: number[], other: number[]): number {
  const [a, b] = [one, other].map((values) => [...values].sort((x, y) => x - y)) as [number[], number[]];
  let [i, j, distance] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    if (a[i]! <= b[j]!) i++;
    else j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const size = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const lambda = (size + 0.12 + 0.11 / size) * distance;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(Math.max(sum, 0), 1);
}
