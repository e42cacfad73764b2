/** The simulated family practice's FHIR endpoint: takes transaction Bundles about patients under its own numbers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { SiteReceiver } from './hospital-receiver.ts';
import { canName, KeptFiles } from './kept-files.ts';

const bodyBytes = 16 * 1024 * 1024;
const path = '/fhir';

interface Entry {
  resource?: { resourceType?: string; id?: string; subject?: { identifier?: { system?: string; value?: string } } };
  request?: { method?: string; url?: string };
}

/** Listens on a free port of 127.0.0.1, path `/fhir`. @param system the FHIR system of the practice's record numbers */
export function startPractice(folder: string, system: string | undefined): Promise<SiteReceiver & { url: string }> {
  const files = new KeptFiles(folder);
  const server = createServer((request, response) => {
    take(request, files, system).then(
      ([status, body]) => answer(response, status, body),
      () => answer(response, 500, outcome('exception', 'The Bundle could not be stored; send it again.')),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      resolve({
        port,
        url: `http://127.0.0.1:${port}${path}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function take(request: IncomingMessage, files: KeptFiles, system: string | undefined): Promise<[number, object]> {
  if (request.method !== 'POST' || request.url !== path) {
    request.resume();
    return [404, outcome('not-found', `This practice takes transaction Bundles by POST to ${path}.`)];
  }
  const bytes = await bodyOf(request);
  if (!bytes) return [413, outcome('too-long', `A Bundle has at most ${bodyBytes} bytes.`)];
  const bundle = bundleOf(bytes);
  if (typeof bundle === 'string') return [400, outcome('structure', bundle)];
  const { name, entries } = bundle;
  const stranger = entries.some(({ resource }) => {
    const number = resource?.subject?.identifier;
    return resource?.resourceType !== 'Provenance' && (!number?.value || number.system !== system);
  });
  if (stranger) return [400, outcome('value', 'Every subject must be named by a record number of this practice.')];
  await files.keep(name, 'json', bytes);
  const entry = entries.map(({ request: asked }) => ({ response: { status: '200', location: asked?.url } }));
  return [200, { resourceType: 'Bundle', type: 'transaction-response', entry }];
}

/** The Bundle's entries and the id it is kept under, or what is wrong with it. */
function bundleOf(bytes: Buffer): { name: string; entries: Entry[] } | string {
  let bundle: { resourceType?: string; type?: string; identifier?: { value?: string }; entry?: Entry[] } | null;
  try {
    bundle = JSON.parse(bytes.toString());
  } catch {
    return 'The body must be JSON.';
  }
  if (bundle?.resourceType !== 'Bundle' || bundle.type !== 'transaction') {
    return 'The body must be a transaction Bundle.';
  }
  const name = /^urn:uuid:(.+)$/.exec(String(bundle.identifier?.value))?.[1] ?? '';
  if (!canName(name)) return 'Bundle.identifier must be a urn:uuid, by which a Bundle that comes again is known.';
  const entries = Array.isArray(bundle.entry) ? bundle.entry : [];
  const whole = entries.every(isWhole);
  return entries.length > 0 && whole ? { name, entries } : 'Every entry must have a resource and a request of PUT.';
}

function isWhole(entry: Entry | null): boolean {
  return Boolean(entry?.resource?.resourceType && entry.request?.method === 'PUT' && entry.request.url);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= bodyBytes) chunks.push(chunk);
  }
  return length > bodyBytes ? undefined : Buffer.concat(chunks);
}

function outcome(code: string, diagnostics: string): object {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics }] };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
}
