import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, isAddressOf, namedIn } from './documents.ts';

const root = dirname(import.meta.dirname);
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const isOurs = (path: string) => !/(^|\/)(node_modules|dist|data)(\/|$)/.test(path);
const found = (pattern: string) => globSync(pattern, { cwd: root, exclude: (path) => !isOurs(String(path)) });

const documents = found('{*.md,{docs,bench,conformance,packages,hub,web,e2e}/**/*.md}');
const sources = found('{packages,hub,web,bench,conformance,e2e,scripts}/**/*.{ts,tsx,js,sql}');
const program = sources.filter((path) => !/\.test\.tsx?$/.test(path)).map(read);
const fileNames = new Set(sources.map((path) => basename(path)));
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
/** Options of programs that the hub's are beside. */
const others = new Set(['--trace-gc']);
const packages = new Set(Object.keys(JSON.parse(read('hub/package.json')).dependencies));
const commands = new Set(
  [...read('hub/cli.ts').matchAll(/command === '([a-z-]+)'/g)].map(([, name]) => name!).concat('help'),
);
const routes = program.flatMap((text) => [...text.matchAll(/['"`](\/api\/[^'"`?\s]+)/g)].map(([, path]) => path!));

test('what a document names is found', () => {
  const named = namedIn(
    [
      'See [keys](docs/keys.md#new-keys), [the web](https://example.org), `hub/gate/tls.ts` and `take-v2.ts`.',
      'Ask `POST /api/erasures/[id]/confirm`, start with `--port 8090`.',
      '```sh',
      'npm run bench:audit -- --events 5',
      'npx causeway rotate-keys --prepare',
      'git push --force',
      '```',
    ].join('\n'),
  );
  expect(named).toEqual({
    links: ['docs/keys.md#new-keys'],
    paths: ['hub/gate/tls.ts', 'take-v2.ts'],
    scripts: ['bench:audit'],
    commands: ['rotate-keys'],
    options: ['--events', '--port', '--prepare'],
    addresses: ['/api/erasures/[id]/confirm'],
  });
  expect([...anchorsOf('# New keys, `without` a stop\n```\n# none\n```')]).toEqual(['new-keys-without-a-stop']);
  expect(isAddressOf('/api/erasures/ID/confirm', '/api/erasures/:id/confirm')).toBe(true);
  expect(isAddressOf('/api/erasures/ID', '/api/erasures/:id/confirm')).toBe(false);
  expect(isAddressOf('/api/erasures/preview', '/api/erasures/:id')).toBe(false);
});

test.each(documents)('%s names only what is there', (document) => {
  const named = namedIn(read(document));
  expect({
    links: named.links.filter((link) => !isPage(document, link)),
    paths: named.paths.filter((path) => !isFile(path)),
    scripts: named.scripts.filter((name) => !(name in scripts)),
    commands: named.commands.filter((name) => !commands.has(name)),
    options: named.options.filter((option) => !isOption(option)),
    addresses: named.addresses.filter((address) => !routes.some((route) => isAddressOf(address, route))),
  }).toEqual({ links: [], paths: [], scripts: [], commands: [], options: [], addresses: [] });
});

/** Whether a link of a document leads to a file, and to a heading of it. */
function isPage(document: string, link: string): boolean {
  const [path, anchor] = link.split('#');
  const file = path ? join(dirname(document), decodeURI(path)) : document;
  return existsSync(join(root, file)) && (anchor === undefined || anchorsOf(read(file)).has(anchor));
}

/** Whether a path leads to something: a folder, a file, or files of that name and any ending; without folders, some file. */
function isFile(path: string): boolean {
  return path.includes('/') ? found(`${path}{,.*}`).length > 0 : fileNames.has(path) || packages.has(path);
}

/** Whether a program takes an option: it stands so in its source, or in the table of the hub's settings. */
function isOption(option: string): boolean {
  const name = option.slice('--'.length);
  const spellings = [
    `'${option}'`,
    `option: '${name}'`,
    `option: '${name.replace(/^no-/, '')}'`,
    `${name}: { type: '`,
    `'${name}': { type: '`,
  ];
  return others.has(option) || program.some((text) => spellings.some((spelling) => text.includes(spelling)));
}
