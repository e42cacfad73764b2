/** What people are told of the audit log: AuditEvents, who looked at a record, accountings of disclosures. */
export {
  type Accounting,
  type AccountingQuery,
  accountedYears,
  accountingEvents,
  accountingOf,
  type DisclosureLine,
} from './accounting.ts';
export { accountingCsv } from './accounting-csv.ts';
export { accountingPdf } from './accounting-pdf.ts';
export { auditEventProfiles, readAuditEventId } from './audit-event.ts';
export { endHold, type Hold, heldBy, holdsOf, makeHold, oralDays } from './holds.ts';
export { type SeenAccess, type SeenParts, type SeenQuery, seenAccesses } from './looked.ts';
export { confinedReader } from './reader.ts';
export { auditEventParameters, type EventPage, findEvents, readEvent, readEventSearch } from './search.ts';
export { type Subjects, subjectsOf } from './subjects.ts';
export { eventAt, type Place, placeText, type Reader, readPlace, type Told, toldOf } from './walk.ts';
