import { defineConfig } from 'vitest/config';

// `unit`: pure and quick, run all the time (npm run check). `integration`: real PostgreSQL and sockets.
// `e2e`: whole journeys in a real browser. npm test runs all three.
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
          exclude: ['**/node_modules/**', '**/*.integration.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['hub/**/*.integration.test.ts'],
          globalSetup: ['hub/database/testing-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 180_000 } },
    ],
  },
});
