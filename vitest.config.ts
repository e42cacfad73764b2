import { defineConfig } from 'vitest/config';

/** What holds times or memory against each other or against a limit: nothing else may run beside it, nor before it in its process. */
const measured = [
  'hub/database/readers.integration',
  'hub/gate/bombs.integration',
  'hub/gate/complaints.integration',
  'hub/gate/hidden-or-absent.integration',
  'hub/gate/http-bundle.integration',
  'hub/gate/http-hostile.integration',
  'hub/gate/large-document.integration',
  'hub/record/retention.integration',
  'packages/mapping/src/ccda/unify',
  'packages/mapping/src/outbound/v2/long-messages',
  'packages/mapping/src/v2/source',
  'packages/region/src/region',
].map((path) => `${path}.test.ts`);

const integration = {
  globalSetup: ['hub/database/testing-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// Files of `unit` and `integration` follow one another in few processes, which saves nearly half of their time: what a file leaves
// behind in its process is a flaw of the file.
// `unit`: pure and quick, run all the time (npm run check). `integration`: real PostgreSQL and sockets; `measured`: those
// of them that measure. `e2e`: whole journeys in a real browser. npm test runs these. `peers`: servers that
// others wrote and a machine may lack; npm run peers needs them all.
export default defineConfig({
  test: {
    // As the hub runs; see hub/bin/lean-memory.js.
    execArgv: ['--no-memory-protection-keys'],
    // Node runs TypeScript as it stands, here as in the hub.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          include: [
            'packages/**/*.test.ts',
            'web/**/*.test.ts',
            'hub/**/*.test.ts',
            'bench/**/*.test.ts',
            'conformance/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/*.integration.test.ts', '**/*.peer.test.ts', ...measured],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          isolate: false,
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
