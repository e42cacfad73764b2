/** Large bodies of FHIR requests are read beforehand, beside everything else (`hub/record/large-bodies.ts`). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type LargeBodies, largeBytes } from '../record/index.ts';
import type { Authenticator } from './authenticate.ts';
import { bodyFormat, readBefore } from './fhir-exchange.ts';
import { formatOf, mediaTypeOf } from './fhir-format.ts';

/** Where a resource is written, which is then held against the definitions too. */
const written: { [route: string]: string } = {
  'POST /fhir/:type': 'create',
  'PUT /fhir/:type/:id': 'update',
  'PUT /fhir/:type': 'update',
};

/** Has them read once it is known that their sender may ask for something. */
export function largeBodies(app: FastifyInstance, bodies: LargeBodies, authenticator: Authenticator): void {
  app.addHook('preHandler', async (request) => {
    const { url = '' } = request.routeOptions;
    const { body } = request;
    // $validate answers with what is wrong; other formats are no resources.
    if (!Buffer.isBuffer(body) || !url.startsWith('/fhir/') || url.endsWith('$validate')) return;
    const mediaType = mediaTypeOf(request.headers['content-type'] ?? 'application/fhir+json');
    if (body.length < largeBytes || formatOf(mediaType) === undefined) return;
    const action = written[`${request.method} ${url}`];
    const { who } = await authenticator.caller(request, action);
    await readLarge(bodies, request, who, body, action !== undefined);
  });
}

/** Reads a body, where it is large, and keeps its text for who reads it next where it had to be converted. */
export async function readLarge(
  bodies: LargeBodies,
  request: FastifyRequest,
  who: string,
  body: Buffer,
  isWritten = false,
): Promise<void> {
  if (body.length < largeBytes) return;
  const read = await bodies.read(who, body, bodyFormat(request), isWritten);
  request.body = read.body;
  if (read.converted !== undefined) readBefore.set(request, read.converted);
}
