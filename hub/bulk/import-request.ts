/**
 * What an import is asked to take in: a Parameters resource, or the JSON object of the SMART bulk import proposal, with
 * `inputFormat`, `inputSource` and for each file `input` with `type` and `url`.
 */
import { isResourceType } from '@causeway/fhir';
import { RecordError } from '../record/index.ts';
import { isAllowed } from './import-source.ts';

export interface ImportRequest {
  /** The server that the data come from, as the client names it. */
  source: string | undefined;
  /** A file has an address, or is the upload itself; without a type it may hold any. */
  inputs: { type: string | undefined; url: string | undefined }[];
}

const formats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson'];
const mostInputs = 1_000;

/**
 * @param allowed the addresses that files may be fetched from
 * @throws RecordError 400 for what is not understood, 403 for addresses that are not allowed
 */
export function readImportRequest(text: string, allowed: readonly string[]): ImportRequest {
  const { inputFormat, inputSource, input } = stated(text);
  if (inputFormat !== undefined && !formats.includes(String(inputFormat))) {
    throw wrong('inputFormat', `may be ${formats.join(', ')}`);
  }
  if (inputSource !== undefined && typeof inputSource !== 'string') throw wrong('inputSource', 'must be a URI');
  if (!Array.isArray(input) || input.length === 0) throw wrong('input', 'is needed for each file, with type and url');
  if (input.length > mostInputs) throw wrong('input', `may come ${mostInputs} times`);
  const inputs = input.map((one: unknown) => {
    const { type, url } = (one ?? {}) as { type?: unknown; url?: unknown };
    if (typeof type !== 'string' || !isResourceType(type)) {
      throw wrong('input.type', 'must be the resource type of the file, such as Patient');
    }
    if (typeof url !== 'string' || url.length > 2_000 || !URL.canParse(url)) {
      throw wrong('input.url', 'must be the address of the file');
    }
    if (!isAllowed(url, allowed)) {
      const text =
        'The parameter input.url names an address that this server does not fetch from; its operator can allow it with --import-from.';
      throw new RecordError(403, 'forbidden', text, 'input.url');
    }
    return { type, url };
  });
  return { source: inputSource, inputs };
}

interface Stated {
  inputFormat?: unknown;
  inputSource?: unknown;
  input?: unknown;
}

function stated(text: string): Stated {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RecordError(
      400,
      'structure',
      'The body is not JSON; send Parameters, or NDJSON as application/fhir+ndjson.',
    );
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RecordError(400, 'structure', 'The body must be a Parameters resource.');
  }
  if (!('resourceType' in body)) return only(body as Record<string, unknown>);
  const { resourceType, parameter } = body as { resourceType: unknown; parameter?: unknown };
  if (resourceType !== 'Parameters' || !Array.isArray(parameter)) {
    throw new RecordError(400, 'structure', 'The body must be a Parameters resource.', 'resourceType');
  }
  const plain: Record<string, unknown> = {};
  const input: Record<string, unknown>[] = [];
  for (const one of parameter as ({ name?: unknown; part?: unknown } | null)[]) {
    if (one?.name === 'input') {
      const parts = Array.isArray(one.part) ? (one.part as ({ name?: unknown } | null)[]) : [];
      input.push(Object.fromEntries(parts.map((part) => [String(part?.name), valueIn(part)])));
    } else plain[String(one?.name)] = valueIn(one);
  }
  return only({ ...plain, input });
}

function only(body: Record<string, unknown>): Stated {
  const known = new Set(['inputFormat', 'inputSource', 'storageDetail', 'input']);
  const other = Object.keys(body).find((name) => !known.has(name));
  if (other !== undefined) throw wrong(other.slice(0, 100), 'is not a parameter of $import');
  return body;
}

function valueIn(parameter: object | null): unknown {
  return Object.entries(parameter ?? {}).find(([key]) => key.startsWith('value'))?.[1];
}

function wrong(name: string, what: string): RecordError {
  return new RecordError(400, 'invalid', `The parameter ${name} ${what}.`, name);
}
