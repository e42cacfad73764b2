/** What a section tells. */
import type { Resource } from '@medplum/fhirtypes';

export interface Told {
  /** Resources that are entries, with their rows of the narrative. */
  entries: { resource: Resource; rows: string[][] }[];
  /** Rows of what has no room among the entries. */
  others?: string[][];
  /** Sentences under the table. */
  below?: string[];
}
