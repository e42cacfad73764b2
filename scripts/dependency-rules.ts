/** `npm run deps`: reads every source file and says which of the import rules are broken. */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brokenRules, importsOf, type Manifest, type SourceFile } from './import-rules.ts';

const root = dirname(import.meta.dirname);
const files: SourceFile[] = globSync('{packages,hub,web,bench,conformance,e2e,scripts}/**/*.{ts,tsx,js}', {
  cwd: root,
  exclude: (path) => /(^|\/)(node_modules|dist)$/.test(String(path)),
}).map((path) => ({ path, imports: importsOf(readFileSync(join(root, path), 'utf8')) }));

const manifests: Manifest[] = [
  'package.json',
  ...globSync('{packages/*,hub,web,bench,conformance,e2e}/package.json', { cwd: root }),
].map((path) => {
  const { name, dependencies, devDependencies } = JSON.parse(readFileSync(join(root, path), 'utf8'));
  return { folder: dirname(path), name, dependencies: Object.keys({ ...dependencies, ...devDependencies }) };
});

const broken = brokenRules(files, manifests);
for (const line of broken) console.error(line);
console.log(`${files.length} files, ${broken.length} broken rules`);
process.exitCode = broken.length > 0 ? 1 : 0;
