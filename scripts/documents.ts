/** What the documents name that has to be there: pages, files, commands, options, addresses of the hub. */

/** What one document names, each once. */
export interface Named {
  /** Targets of links that are not on the web: `docs/audit.md#keys`. */
  links: string[];
  /** Files and folders in code: `hub/gate/tls.ts`, `take-v2.ts`, `hub/record/search`. */
  paths: string[];
  /** Scripts of npm: `bench:audit`. */
  scripts: string[];
  /** What `causeway` is told to do: `rotate-keys`. */
  commands: string[];
  /** `--data-dir`; of other programs' lines none. */
  options: string[];
  /** Paths of the hub's own interface: `/api/erasures/[id]/confirm`. */
  addresses: string[];
}

const rooms = 'hub|packages|web|bench|conformance|e2e|scripts|docs';
const roomPath = new RegExp(`^(?:${rooms})/(?!dist)[\\w./{}*,-]+$`);
const sourceFile = /^[\w-]{2,}(?:\.[\w-]+)*\.(?:ts|tsx|js|sql)$/;

export function namedIn(markdown: string): Named {
  const code = codeOf(markdown);
  const words = code.flatMap((one) => one.split(/[\s()'",;]+/));
  return {
    links: once(
      [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!),
      (target) => !/^(?:https?|mailto):/.test(target),
    ),
    paths: once(words, (word) => roomPath.test(word) || sourceFile.test(word)),
    scripts: once(
      code.flatMap((one) => [...one.matchAll(/\bnpm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name]) => name!)),
    ),
    commands: once(code.flatMap((one) => [...one.matchAll(/\bcauseway ([a-z][a-z-]*)/g)].map(([, name]) => name!))),
    options: once(
      code
        .flatMap((one) => one.split('\n'))
        .filter((line) => !otherProgram.test(line))
        .flatMap((line) =>
          [...line.matchAll(/(?<=^|[\s[(|])--[a-z][a-z-]*[a-z](?![\w…-])/g)].map(([option]) => option),
        ),
    ),
    addresses: once(
      code.flatMap((one) => [...one.matchAll(/\/api(?:\/(?:[\w:.-]+|\[\w+\]))+/g)].map(([path]) => path)),
    ),
  };
}

/** Lines that tell other programs what to do. */
const otherProgram =
  /^\s*(?:sudo |# |\$ )*(?:git|npm ci|npm audit|apt-get|curl|openssl|psql|node|docker|useradd|setpriv|initdb)\b/;

/** The headings' anchors, as they are made of the words. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Whether an address of a document (`/api/erasures/[id]/confirm`) is one of a route (`/api/erasures/:id/confirm`). */
export function isAddressOf(named: string, route: string): boolean {
  const [asked, known] = [named, route].map((path) => path.replace(/\/$/, '').split('/'));
  return (
    asked!.length === known!.length &&
    known!.every((part, i) => part === asked![i] || (part.startsWith(':') && /^:|^\[\w+\]$|^[A-Z]+$/.test(asked![i]!)))
  );
}

/** The texts of fenced blocks and of code within lines. */
function codeOf(markdown: string): string[] {
  const fenced = [...markdown.matchAll(/^```.*\n([\s\S]*?)^```/gm)].map(([, text]) => text!);
  const within = [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
  return [...fenced, ...within];
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

function once(found: string[], holds: (one: string) => boolean = () => true): string[] {
  return [...new Set(found.filter(holds))].sort();
}
