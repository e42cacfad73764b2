/** What is put into a link: the patient summary, and documents with what they hold. */
import type { Binary, Bundle, DocumentReference } from '@medplum/fhirtypes';
import { queryOptions } from '@tanstack/react-query';
import { getJson, getText } from '../api/request.ts';
import { binaryPath } from '../chart/attachment.ts';
import { formatDate } from '../fhir/dates.ts';
import type { OpenFile } from './link.ts';

const contentType = 'application/fhir+json';

/** The documents of a record, the newest first. */
export function documentsQuery(patient: string) {
  return queryOptions({
    queryKey: ['documents-to-share', patient],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ patient, status: 'current', _sort: '-date', _count: '100' });
      const { entry = [] } = await getJson<Bundle<DocumentReference>>(`/fhir/DocumentReference?${query}`, signal);
      return entry.flatMap(({ resource }) => (resource?.resourceType === 'DocumentReference' ? [resource] : []));
    },
  });
}

/** The summary as it is now, and documents as they are. */
export async function filesOf(patient: string, documents: readonly string[]): Promise<OpenFile[]> {
  const summary = await getText(`/fhir/Patient/${encodeURIComponent(patient)}/$summary`, contentType);
  const whole = await Promise.all(documents.map(wholeDocument));
  return [{ contentType, text: summary }, ...whole.map((one) => ({ contentType, text: JSON.stringify(one) }))];
}

/** A DocumentReference with its contents inside, since its addresses are closed to whoever opens the link. */
async function wholeDocument(id: string): Promise<DocumentReference> {
  const document = await getJson<DocumentReference>(`/fhir/DocumentReference/${id}`);
  const content = await Promise.all(
    document.content.map(async (one) => {
      const path = one.attachment.data ? undefined : binaryPath(one.attachment.url);
      if (!path) return one;
      const { data, contentType: type } = await getJson<Binary>(path);
      const { url: _, ...attachment } = one.attachment;
      return { ...one, attachment: { ...attachment, contentType: type ?? attachment.contentType, data } };
    }),
  );
  return { ...document, content };
}

/** How a document is named to a reader. */
export function documentName({ description, type, date, content }: DocumentReference): string {
  const name = description ?? type?.text ?? type?.coding?.[0]?.display ?? content?.[0]?.attachment.title ?? 'Document';
  return date === undefined ? name : `${name}, ${formatDate(date)}`;
}
