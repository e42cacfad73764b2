/** A person's whole record: `$everything`, all pages, fetched once. */
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { queryOptions } from '@tanstack/react-query';
import { getJson } from '../api/request.ts';
import { type PersonRecord, readRecord } from '../fhir/record.ts';

/** More pages than this are not fetched; the chart then says that the record is longer. */
const MAX_PAGES = 50;

export interface FetchedRecord extends PersonRecord {
  truncated: boolean;
}

/** @param emergency id of the emergency access under which it is read */
export function recordQuery(id: string, emergency?: string) {
  return queryOptions({
    queryKey: ['record', id, emergency ?? 'ordinary'],
    staleTime: 15_000,
    queryFn: async ({ signal }): Promise<FetchedRecord> => {
      const resources: Resource[] = [];
      let next: string | undefined = `/fhir/Patient/${encodeURIComponent(id)}/$everything?_count=1000`;
      for (let page = 0; next && page < MAX_PAGES; page += 1) {
        const bundle: Bundle = await getJson<Bundle>(next, signal, emergency);
        for (const entry of bundle.entry ?? []) if (entry.resource) resources.push(entry.resource);
        next = sameOriginPath(bundle.link?.find((link) => link.relation === 'next')?.url);
      }
      return { ...readRecord(resources, id), truncated: next !== undefined };
    },
  });
}

/** The path of a paging link: the hub may write it absolute, under a name that this browser does not use. */
export function sameOriginPath(url: string | undefined): string | undefined {
  if (!url) return undefined;
  const { pathname, search } = new URL(url, 'http://hub.invalid/fhir/');
  return pathname + search;
}
