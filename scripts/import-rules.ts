/** The rules of who may import whom, as one function over a list of files and what they import. */

import { dirname, join, normalize } from 'node:path/posix';

/** A source file, by its path from the project's root, with the module specifiers it imports. */
export interface SourceFile {
  path: string;
  imports: string[];
}

/** A workspace's package.json, by its folder from the project's root (`.` for the root's own). */
export interface Manifest {
  folder: string;
  name: string;
  dependencies: string[];
}

const builtIn = /^(node:|vitest(\/|$))/;

/** One line for each broken rule, naming the file, the import and the rule; empty when all hold. */
export function brokenRules(files: SourceFile[], manifests: Manifest[]): string[] {
  const broken = files.flatMap((file) => file.imports.flatMap((specifier) => brokenBy(file, specifier, manifests)));
  return [...broken, ...cycles(files)];
}

/** The specifiers a TypeScript or JavaScript text imports or re-exports, dynamic imports of literals included. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const pattern =
    /(?:^|[;}\n])\s*(?:import|export)\s+(?:[^'"`;]*?\sfrom\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;
  return [...code.matchAll(pattern)].map((match) => (match[1] ?? match[2])!);
}

function brokenBy(file: SourceFile, specifier: string, manifests: Manifest[]): string[] {
  const says = (rule: string) => [`${file.path} imports ${specifier}: ${rule}`];
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file.path), specifier));
    const [from, to] = [workspaceOf(file.path), workspaceOf(target)];
    if (from !== to && from !== 'scripts') {
      const face = /^hub\/([^/]+\/)?(index|mod|main|testing(-[a-z]+)*)\.ts$/.test(target);
      const mayUseHub = ['bench', 'conformance', 'e2e'].includes(from);
      if (!(to === 'hub' && mayUseHub && face)) return says('another workspace is imported by its package name');
    }
    if (from === 'hub' && to === 'hub' && !isFace(file.path, target))
      return says('another folder is entered by its index.ts');
    return [];
  }
  if (builtIn.test(specifier)) return [];
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const own = manifests.find(({ folder }) => folder === workspaceOf(file.path));
  const root = manifests.find(({ folder }) => folder === '.');
  const workspace = manifests.find((manifest) => manifest.name === name);
  if (workspace) return brokenByWorkspace(file, specifier, workspace, says);
  const declared = own?.dependencies.includes(name) || root?.dependencies.includes(name);
  return declared ? [] : says(`${name} is in no package.json that this file may rely on`);
}

function brokenByWorkspace(
  file: SourceFile,
  specifier: string,
  to: Manifest,
  says: (rule: string) => string[],
): string[] {
  const from = workspaceOf(file.path);
  const isPackage = to.folder.startsWith('packages/');
  if (from.startsWith('packages/') && !isPackage) return says('packages import only packages');
  if (from === 'hub' && !isPackage) return says('the hub imports only packages');
  if (from === 'web' && to.folder === 'hub') return says('the web talks to the hub over HTTP only');
  const isForPages =
    ['@causeway/tlog/web', '@causeway/access/entry-words', '@causeway/fhir/unit-words'].includes(specifier) ||
    /(\.test|\/testing[a-z-]*)\.ts$/.test(file.path);
  if (from === 'web' && !isForPages) return says('of the packages the web imports what is made for pages alone');
  return [];
}

/** `packages/NAME`, `hub`, `web`, … */
function workspaceOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'packages' ? `${first}/${second}` : first;
}

/** The folder of the hub a file belongs to; '' for the files that lie directly in it. */
function hubFolder(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'hub' && parts.length > 2 ? parts[1]! : '';
}

function isFace(from: string, to: string): boolean {
  const folder = hubFolder(to);
  if (folder === '' || folder === hubFolder(from)) return true;
  const isTest = /(\.test|\/testing[a-z-]*)\.ts$/.test(from);
  return new RegExp(`^hub/${folder}/(index|mod${isTest ? '|testing' : ''})\\.ts$`).test(to);
}

/** Folders of the hub that import each other in a circle. The files directly in `hub/` wire the parts and are left out, as are tests. */
function cycles(files: SourceFile[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of files) {
    const from = hubFolder(path);
    if (!from || /\.test\.ts$/.test(path)) continue;
    for (const specifier of imports.filter((one) => one.startsWith('.'))) {
      const to = hubFolder(normalize(join(dirname(path), specifier)));
      if (to && to !== from) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  const found = new Map<string, string>();
  const walk = (folder: string, trail: string[]): void => {
    const at = trail.indexOf(folder);
    if (at >= 0) {
      const circle = trail.slice(at);
      const key = circle.toSorted().join();
      if (!found.has(key))
        found.set(key, `hub folders import each other in a circle: ${[...circle, folder].join(' → ')}`);
      return;
    }
    for (const next of edges.get(folder) ?? []) walk(next, [...trail, folder]);
  };
  for (const folder of edges.keys()) walk(folder, []);
  return [...found.values()];
}
