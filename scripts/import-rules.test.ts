import { describe, expect, test } from 'vitest';
import { brokenRules, importsOf, type Manifest } from './import-rules.ts';

const manifests: Manifest[] = [
  { folder: '.', name: 'causeway', dependencies: ['fast-check'] },
  { folder: 'packages/hl7v2', name: '@causeway/hl7v2', dependencies: [] },
  { folder: 'packages/mapping', name: '@causeway/mapping', dependencies: ['saxes'] },
  { folder: 'packages/tlog', name: '@causeway/tlog', dependencies: [] },
  { folder: 'hub', name: '@causeway/hub', dependencies: ['pg'] },
  { folder: 'web', name: '@causeway/web', dependencies: ['react'] },
];

function broken(path: string, ...imports: string[]): string[] {
  return brokenRules([{ path, imports }], manifests);
}

describe('reading imports', () => {
  test('finds all ways of importing, and nothing in comments', () => {
    const text = `/* import 'a' */\n// import 'b'\nimport 'c';\nimport type { D } from "d";\nimport {\n  e,\n} from 'e';\nexport * from './f.ts';\nexport type { G } from './g.ts';\nconst h = await import('fast-check');\nconst i = "import('i' + 1)";`;
    expect(importsOf(text)).toEqual(['c', 'd', 'e', './f.ts', './g.ts', 'fast-check']);
  });
});

describe('the rules', () => {
  test.each([
    ['packages/mapping/src/a.ts', '@causeway/hl7v2'],
    ['packages/mapping/src/a.ts', './b.ts'],
    ['packages/mapping/src/a.ts', 'saxes'],
    ['hub/gate/a.ts', '@causeway/hl7v2'],
    ['hub/gate/a.ts', '../inbox/index.ts'],
    ['hub/gate/a.ts', 'pg'],
    ['hub/gate/a.ts', '../config.ts'],
    ['hub/main.ts', './gate/index.ts'],
    ['hub/gate/a.test.ts', '../database/testing.ts'],
    ['hub/gate/a.test.ts', 'fast-check'],
    ['web/src/a.tsx', 'react'],
    ['web/src/a.tsx', '@causeway/tlog/web'],
    ['web/src/a.test.ts', '@causeway/tlog'],
    ['e2e/a.test.ts', '../hub/main.ts'],
  ])('%s may import %s', (path, specifier) => {
    expect(broken(path, specifier)).toEqual([]);
  });

  test.each([
    ['packages/hl7v2/src/a.ts', '@causeway/hub', /packages import only packages/],
    ['packages/hl7v2/src/a.ts', '../../mapping/src/index.ts', /by its package name/],
    ['packages/hl7v2/src/a.ts', 'saxes', /in no package.json/],
    ['hub/gate/a.ts', '@causeway/web', /the hub imports only packages/],
    ['hub/gate/a.ts', '../inbox/queue.ts', /entered by its index.ts/],
    ['hub/gate/a.ts', '../database/testing.ts', /entered by its index.ts/],
    ['hub/main.ts', './gate/http.ts', /entered by its index.ts/],
    ['web/src/a.tsx', '@causeway/hub', /over HTTP only/],
    ['web/src/a.tsx', '@causeway/tlog', /made for pages/],
    ['web/src/a.tsx', '@causeway/mapping', /made for pages/],
    ['web/src/a.tsx', '../../hub/config.ts', /by its package name/],
  ])('%s may not import %s', (path, specifier, rule) => {
    expect(broken(path, specifier)).toEqual([expect.stringMatching(rule)]);
  });

  test('no circles between the hub’s folders', () => {
    const files = [
      { path: 'hub/gate/a.ts', imports: ['../inbox/index.ts'] },
      { path: 'hub/inbox/a.ts', imports: ['../record/index.ts'] },
      { path: 'hub/record/a.ts', imports: ['../gate/index.ts'] },
      { path: 'hub/main.ts', imports: ['./gate/index.ts'] },
    ];
    expect(brokenRules(files, manifests)).toEqual([
      'hub folders import each other in a circle: gate → inbox → record → gate',
    ]);
  });
});
