/** The record as GraphQL reads it: every resource through the record's own reads and searches, under the caller's access. */
import { isFhirError, parseExact } from '@causeway/fhir';
import { GraphqlError, type GraphqlSource, type Resource } from '@causeway/graphql';
import { type FhirRecord, RecordError, type StoredResource } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { Caller } from './authenticate.ts';
import { auditOf, checkMayChange, removalAudit } from './fhir-exchange.ts';

/** Characters of all resources that one query reads: they are in memory until it is answered. */
const longest = 32 * 1024 * 1024;

/** @param given takes every resource that is handed out, for the record of the access */
export function graphqlSource(
  record: FhirRecord,
  access: Access,
  base: string,
  given: (stored: StoredResource) => void,
): GraphqlSource {
  let characters = 0;
  const resourceOf = (stored: StoredResource) => {
    characters += stored.text.length;
    if (characters > longest) {
      const text = `The query reads too much: all resources that it reads may have ${longest} characters.`;
      throw new GraphqlError(text, undefined, 'too-costly');
    }
    given(stored);
    return parsed(stored.text);
  };
  return {
    base: `${base}/`,
    read: async (type, id) => {
      try {
        return resourceOf(await record.read(access, type, id));
      } catch (error) {
        if (error instanceof RecordError && (error.status === 404 || error.status === 410)) return undefined;
        throw graphqlErrorOf(error);
      }
    },
    search: async (type, parameters) => {
      try {
        const asked = pageOf(type, parameters);
        const cursor: [string, string][] = asked.cursor === undefined ? [] : [['_cursor', asked.cursor]];
        const request = record.readSearch(type, [...asked.parameters, ...cursor], false);
        const { matches, total, next } = await record.search(access, request);
        const page = { ...asked, type };
        return {
          entries: matches.map((stored) => ({ resource: resourceOf(stored), mode: 'match' })),
          total,
          offset: asked.offset,
          pageSize: request.count,
          first: asked.offset === 0 ? undefined : pageText({ ...page, cursor: undefined, offset: 0 }),
          next:
            next === undefined ? undefined : pageText({ ...page, cursor: next, offset: asked.offset + matches.length }),
        };
      } catch (error) {
        throw graphqlErrorOf(error);
      }
    },
  };
}

/** Changes by GraphQL: each through the record's own write, recorded with it. @param path where the change was sent to */
export function graphqlChanges(record: FhirRecord, who: Caller, path: string): Required<GraphqlSource>['change'] {
  return async (change) => {
    try {
      const { type } = change;
      checkMayChange(who, type);
      const what = `${path} ${type}${change.kind === 'create' ? '' : `/${change.id}`}`;
      const audit = auditOf(who, change.kind, what);
      if (change.kind === 'delete') {
        await record.remove(who, type, change.id, {}, removalAudit(who, change.kind, what, `${type}/${change.id}`));
        return undefined;
      }
      if (change.kind === 'create') {
        const scanned = record.scan(JSON.stringify(change.resource), type);
        return parsed((await record.create(who, scanned, undefined, audit)).text);
      }
      const scanned = record.scan(JSON.stringify({ ...change.resource, id: change.resource.id ?? change.id }), type);
      return parsed((await record.update(who, scanned, change.id, {}, audit)).text);
    } catch (error) {
      throw graphqlErrorOf(error);
    }
  };
}

/** What the record refuses, as GraphQL says it; every other error as it is. */
export function graphqlErrorOf(error: unknown): unknown {
  if (!(error instanceof RecordError)) return error;
  return new GraphqlError(error.message, undefined, error.issues[0]?.code, error.status);
}

/** Numbers that JavaScript would write in another way than they were sent: `1.00`, `1e3`, more digits than it keeps. */
const otherwiseWritten = /[:[,]-?(?:\d+\.\d*0[,\]}]|\d[\d.]*[eE]|\d[\d.]{15})|[:[,]-0[,\]}]/;

function parsed(text: string): Resource {
  if (!otherwiseWritten.test(text)) return JSON.parse(text) as Resource;
  const exact = parseExact(text);
  return (isFhirError(exact) ? JSON.parse(text) : exact.value) as Resource;
}

/** A page of a search: a cursor of GraphQL stands for the whole search, and nothing is kept between pages. */
interface Page {
  type: string;
  parameters: [string, string][];
  cursor: string | undefined;
  /** How many matches come before it. */
  offset: number;
}

function pageText({ type, parameters, cursor, offset }: Page): string {
  return Buffer.from(JSON.stringify([type, parameters, offset, cursor])).toString('base64url');
}

/** @throws RecordError 400 for a cursor that is none of this type's, or that has other parameters beside it */
function pageOf(type: string, parameters: readonly [string, string][]): Omit<Page, 'type'> {
  const given = parameters.find(([name]) => name === '_cursor');
  if (!given) return { parameters: [...parameters], cursor: undefined, offset: 0 };
  if (parameters.length > 1) {
    throw new RecordError(400, 'invalid', 'A cursor stands alone: it holds the search that it continues.', '_cursor');
  }
  try {
    const page: unknown = JSON.parse(Buffer.from(given[1], 'base64url').toString());
    if (Array.isArray(page) && page[0] === type && Array.isArray(page[1]) && page[1].every(isPair)) {
      const [, search, offset, cursor] = page as unknown[];
      if (Number.isSafeInteger(offset) && (offset as number) >= 0 && (cursor == null || typeof cursor === 'string')) {
        return { parameters: search as [string, string][], cursor: cursor ?? undefined, offset: offset as number };
      }
    }
  } catch {
    // Falls through to the error below.
  }
  throw new RecordError(400, 'invalid', 'The cursor is not one that this server gave for this type.', '_cursor');
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
