/** Runs of a connector that a test waits for. */
import { expect, vi } from 'vitest';
import type { Json, TestHub } from '../testing.ts';

/**
 * Makes or changes a connector, which has it run, or has it run as it is.
 * @returns what the hub tells of it, when the run has ended and what it took is processed
 */
export async function runConnector(hub: TestHub, key: string, body?: object): Promise<Json> {
  const opened = async () => (await hub.get(`/api/connectors/${key}`)).json;
  const before = (await opened()).ended;
  const asked = body
    ? await hub.send('PUT', `/api/connectors/${key}`, body)
    : await hub.send('POST', `/api/connectors/${key}/run`, {});
  expect(asked.status, asked.text).toBe(body ? 200 : 202);
  await vi.waitFor(
    async () => {
      const { ended, isRunning } = await opened();
      expect([typeof ended, ended === before, isRunning]).toEqual(['string', false, false]);
    },
    { timeout: 60_000, interval: 50 },
  );
  await hub.settled();
  return opened();
}
