/** `$meta`, `$meta-add`, `$meta-delete` (https://hl7.org/fhir/R4/resource-operation-meta.html). */
import { isResourceType } from '@causeway/fhir';
import type { Meta } from '@medplum/fhirtypes';
import type { FastifyInstance } from 'fastify';
import { changeMeta, metaOf, RecordError, type StoredResource } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { patientsOf } from './fhir-answers.ts';
import { auditOf, type FhirParts, type Params, pathOf, recordAccess, writer } from './fhir-exchange.ts';
import { sendText } from './fhir-send.ts';
import { operationParameters } from './operation-parameters.ts';

const either = ['GET', 'POST'];

export function fhirMetaRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator } = parts;
  const reads: [string, (who: Caller, params: Params) => Promise<StoredResource>][] = [
    ['/fhir/:type/:id/$meta', (who, { type, id }) => record.read(who, type, id)],
    ['/fhir/:type/:id/_history/:version/$meta', (who, { type, id, version }) => record.vread(who, type, id, version)],
  ];
  for (const [url, read] of reads) {
    app.route<{ Params: Params }>({
      method: either,
      url,
      handler: async (request, reply) => {
        const who = await authenticator.caller(request, 'meta');
        operationParameters(parts, request, {});
        const stored = await read(who, request.params);
        await recordAccess(parts, who, 'meta', pathOf(request), 200, patientsOf([stored]));
        return sendText(request, reply, answer(metaOf(stored.text)));
      },
    });
  }
  for (const url of ['/fhir/$meta', '/fhir/:type/$meta']) {
    app.route<{ Params: Partial<Params> }>({
      method: either,
      url,
      handler: async (request, reply) => {
        const who = await authenticator.caller(request, 'meta');
        const { type } = request.params;
        if (type !== undefined && !isResourceType(type)) {
          throw new RecordError(404, 'not-supported', 'The address names no FHIR R4 resource type, such as Patient.');
        }
        operationParameters(parts, request, {});
        const meta = await parts.labels.inUse(who, type);
        await recordAccess(parts, who, 'meta', pathOf(request), 200);
        return sendText(request, reply, answer(meta));
      },
    });
  }
  for (const change of ['add', 'delete'] as const) {
    app.post<{ Params: Params }>(`/fhir/:type/:id/$meta-${change}`, async (request, reply) => {
      const who = await writer(parts, request, `meta-${change}`);
      const labels = operationParameters(parts, request, { meta: 'object' }).object('meta');
      if (!labels) {
        const text = 'Send Parameters with the parameter meta and its valueMeta: profiles, tags, security labels.';
        throw new RecordError(400, 'required', text, 'meta');
      }
      const audit = auditOf(who, `meta-${change}`, pathOf(request));
      const { meta } = await changeMeta(record, who, request.params, change, labels as Meta, audit);
      return sendText(request, reply, answer(meta));
    });
  }
}

function answer(meta: Meta): string {
  return JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: meta }] });
}
