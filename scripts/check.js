// `npm run check`: types, lint, dependency rules and unit tests, in under a minute.
import { installed, onNode, section, summary } from './sections.js';

await section('types', [installed('.bin', 'tsc'), '--noEmit', '-p', '.']);
await section('lint', [installed('.bin', 'biome'), 'check', '.']);
await section('dependency rules', onNode('scripts/dependency-rules.ts'));
await section('unit tests', onNode('node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'));
process.exit(summary() ? 0 : 1);
