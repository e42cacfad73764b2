/** A SMART app as its makers write one with SMART's own client library: a page that starts it and one that it comes back to. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

const library = createRequire(import.meta.url).resolve('fhirclient/build/fhir-client.js');

const start = (options: object) => `<!doctype html><title>Start</title><script src="fhir-client.js"></script>
<script>FHIR.oauth2.authorize(${JSON.stringify(options)}).catch((error) => { document.body.textContent = error.message; });</script>`;

const app = `<!doctype html><title>App</title><body><h1 id="patient">…</h1><script src="fhir-client.js"></script>
<script>
FHIR.oauth2.ready().then(async (client) => {
  window.client = client;
  const patient = await client.patient.read();
  document.getElementById('patient').textContent = patient.id;
  document.body.dataset.state = 'ready';
}).catch((error) => { document.body.dataset.state = 'failed'; document.getElementById('patient').textContent = error.message; });
</script></body>`;

export interface SmartApp {
  /** Of another site than the hub: `localhost`, where the hub is `127.0.0.1`. */
  origin: string;
  stop(): void;
}

/** Serves the app. @param options of `FHIR.oauth2.authorize`, once its origin is known */
export async function serveSmartApp(options: () => object): Promise<SmartApp> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const pages: { [path: string]: () => string | Buffer } = {
      '/launch.html': () => start(options()),
      '/app.html': () => app,
      '/fhir-client.js': () => readFileSync(library),
    };
    const page = pages[pathname];
    if (!page) response.writeHead(404).end();
    else
      response
        .writeHead(200, { 'content-type': pathname.endsWith('.js') ? 'text/javascript' : 'text/html' })
        .end(page());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://localhost:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}
