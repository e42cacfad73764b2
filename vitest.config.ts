import { defineConfig } from 'vitest/config';

/** What holds times against each other or against a limit: nothing else may run beside it. */
const measured = [
  'hub/database/readers',
  'hub/gate/bombs',
  'hub/gate/complaints',
  'hub/gate/hidden-or-absent',
  'hub/gate/http-bundle',
  'hub/gate/http-hostile',
  'hub/record/retention',
].map((path) => `${path}.integration.test.ts`);

const integration = {
  globalSetup: ['hub/database/testing-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// `unit`: pure and quick, run all the time (npm run check). `integration`: real PostgreSQL and sockets; `measured`: those
// of them that measure. `e2e`: whole journeys in a real browser. npm test runs these. `peers`: servers that
// others wrote and a machine may lack; npm run peers needs them all.
export default defineConfig({
  test: {
    // As the hub runs; see hub/bin/lean-memory.js.
    execArgv: ['--no-memory-protection-keys'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/**/*.test.ts',
            'web/**/*.test.ts',
            'hub/**/*.test.ts',
            'bench/**/*.test.ts',
            'conformance/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/*.integration.test.ts', '**/*.peer.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          include: ['hub/**/*.integration.test.ts'],
          exclude: ['**/node_modules/**', ...measured],
        },
      },
      { test: { ...integration, name: 'measured', include: measured } },
      { test: { ...integration, name: 'peers', include: ['hub/**/*.peer.test.ts'] } },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 180_000 } },
    ],
  },
});
