/** What is to be known of a Bundle that is sent as a message before it is taken. */
import { isFhirError, scanBundle } from '@causeway/fhir';

/** Its identifier and whom it is about; or what is wrong with it. */
export type BundleHead = { wrong: string } | { patient: string | undefined; identifier: string | undefined };

export function bundleHead(text: string): BundleHead {
  const bundle = scanBundle(text);
  if (isFhirError(bundle)) return { wrong: `Line ${bundle.line}, column ${bundle.column}: ${bundle.error}` };
  const patient = bundle.entries.find(({ resource }) => resource?.resourceType === 'Patient');
  return { patient: patient?.resource?.id ?? patient?.fullUrl, identifier: bundle.bundle.identifier?.value };
}
