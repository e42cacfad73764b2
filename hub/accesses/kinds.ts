/** What each action of the audit log is in FHIR and DICOM, and whether by it somebody outside was given anything. */
import type { Coding } from '@medplum/fhirtypes';

/** A pattern of IHE BALP; `Other` has none there. */
export type Pattern = 'Read' | 'Query' | 'Create' | 'Update' | 'Delete' | 'Disclosure' | 'Other';

export interface Kind {
  pattern: Pattern;
  type: Coding;
  subtype?: Coding;
}

const restType: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'Restful Operation',
};
const exported = dicom('110106', 'Export');
const disclosed: Coding = { system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code: 'disclose' };

const rest = (pattern: Pattern, code: string): Kind => ({
  pattern,
  type: restType,
  subtype: { system: 'http://hl7.org/fhir/restful-interaction', code },
});
const disclosure: Kind = { pattern: 'Disclosure', type: exported, subtype: disclosed };

const kinds: { [action: string]: Kind } = {
  read: rest('Read', 'read'),
  vread: rest('Read', 'vread'),
  search: rest('Query', 'search'),
  history: rest('Other', 'history'),
  create: rest('Create', 'create'),
  update: rest('Update', 'update'),
  patch: rest('Update', 'patch'),
  delete: rest('Delete', 'delete'),
  'bulk-delete': rest('Delete', 'delete'),
  transaction: rest('Other', 'transaction'),
  batch: rest('Other', 'batch'),
  ...Object.fromEntries(
    [
      'everything',
      'graph',
      'graphql',
      'lastn',
      'summary',
      'docref',
      'match',
      'ihe-pix',
      'meta',
      'validate',
      'expunge',
      'status',
    ].map((action) => [action, rest('Other', 'operation')]),
  ),
  query: { pattern: 'Other', type: dicom('110112', 'Query') },
  import: { pattern: 'Other', type: dicom('110107', 'Import') },
  export: disclosure,
  'bulk-file': disclosure,
  deliver: disclosure,
  notify: disclosure,
  events: disclosure,
  'pick-up': disclosure,
  'pick-up-download': disclosure,
  'open-health-link': disclosure,
  'sign-in': { pattern: 'Other', type: dicom('110114', 'User Authentication'), subtype: dicom('110122', 'Login') },
  'emergency-begin': {
    pattern: 'Other',
    type: dicom('110113', 'Security Alert'),
    subtype: dicom('110127', 'Emergency Override Started'),
  },
  'emergency-end': {
    pattern: 'Other',
    type: dicom('110113', 'Security Alert'),
    subtype: dicom('110138', 'Emergency Override Stopped'),
  },
};

const other: Kind = { pattern: 'Other', type: dicom('110100', 'Application Activity') };

/** The actions that are something in FHIR or DICOM. */
export const knownActions: readonly string[] = Object.keys(kinds);

export function kindOf(action: string): Kind {
  return Object.hasOwn(kinds, action) ? kinds[action]! : other;
}

function dicom(code: string, display: string): Coding {
  return { system: 'http://dicom.nema.org/resources/ontology/DCM', code, display };
}
