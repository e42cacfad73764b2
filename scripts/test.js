// `npm test`: everything. Types, lint, dependency rules, the web build, a browser, then unit, integration and
// end-to-end tests. A section that fails does not keep the others from running; the exit code tells of any failure.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureChromium } from './chromium.js';
import { installed, onNode, root, run, section, step, summary } from './sections.js';

await section('types', [installed('.bin', 'tsc'), '--noEmit', '-p', '.']);
await section('lint', [installed('.bin', 'biome'), 'check', '.']);
await section('dependency rules', onNode('scripts/dependency-rules.ts'));
await section('web build', onNode('node_modules/vite/bin/vite.js', 'build'), { cwd: join(root, 'web') });
await step('browser', ensureChromium);

const reports = mkdtempSync(join(tmpdir(), 'causeway-test-report-'));
// What is compiled once is compiled for all processes of this run.
process.env.NODE_COMPILE_CACHE = join(reports, 'compiled');
const totals = { passed: 0, failed: 0 };
const failures = [];
const processors = availableParallelism();
for (const [name, project, atOnce] of [
  ['unit tests', 'unit', processors],
  // One more than there are processors: many of them wait, for a retry or for what another process does.
  ['integration tests', 'integration', processors + 1],
  ['measured tests', 'measured', 1],
  ['browser journeys', 'e2e', processors],
]) {
  await step(name, () => vitest(project, atOnce));
}
rmSync(reports, { recursive: true, force: true });

const held = summary();
for (const failure of failures) console.log(failure);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(held ? 0 : 1);

/** Runs one project of the test suite, so many files at once, and adds to the totals. A skipped test counts as failed: nothing passes by being skipped. */
async function vitest(project, atOnce) {
  const report = join(reports, `${project}.json`);
  const code = await run(
    onNode(
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      project,
      `--maxWorkers=${atOnce}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ),
  );
  const results = readReport(report);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = results;
  failures.push(...failuresOf(results));
  totals.passed += numPassedTests;
  const failed = numFailedTests + numPendingTests + numTodoTests;
  // A file that does not even load has failed without a failed test.
  totals.failed += failed || (numFailedTestSuites > 0 ? numFailedTestSuites : Number(code !== 0));
  if (code !== 0) throw new Error(`vitest ended with ${code}`);
  if (failed > 0) throw new Error(`${failed} tests were skipped`);
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {
      numPassedTests: 0,
      numFailedTests: 0,
      numPendingTests: 0,
      numTodoTests: 0,
      numFailedTestSuites: 0,
      testResults: [],
    };
  }
}

/** A few lines for each test that did not pass, and for each file that did not load: where, which, and the reason. */
function failuresOf({ testResults }) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const tests = assertionResults
      .filter((test) => test.status !== 'passed')
      .map(({ fullName, status, failureMessages }) =>
        withReason(`${file} > ${fullName}: ${status}`, failureMessages[0]),
      );
    return tests.length === 0 && status === 'failed' ? [withReason(`${file} did not load`, message)] : tests;
  });
}

function withReason(what, reason = '') {
  const lines = reason
    .split('\n')
    .filter((line) => !line.includes('/node_modules/'))
    .slice(0, 12);
  return [`\n${what}`, ...lines.map((line) => `  ${line.slice(0, 300)}`)].join('\n').trimEnd();
}
