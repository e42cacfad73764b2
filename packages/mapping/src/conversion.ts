/**
 * What every converter into FHIR returns: the facts, what they mean for the person index, and an account of each
 * atom of the source. A converter is a pure function: the same bytes give the same answer, ids included.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { ConceptTable } from './concepts.ts';
import type { ColumnMap } from './table/column-map.ts';
import type { Overlay } from './v2/overlay.ts';

/** The result of converting one message or document. */
export interface Conversion {
  /** In an order in which a reader may store them: the patient first. */
  facts: Fact[];
  /** What the message says about identities and links rather than about clinical facts. */
  identityEvents: IdentityEvent[];
  /** One entry for every atom of the source that carries content. */
  ledger: LedgerEntry[];
  /** What cannot be right in the content; the message is still converted as far as it goes. */
  issues: ConversionIssue[];
  /** Of a document whose versions follow each other. */
  document?: DocumentVersion;
}

/** Takes what a conversion tells, one after the other, in the order of `Conversion`’s lists. */
export interface ConversionSink {
  fact(fact: Fact): void;
  atom(entry: LedgerEntry): void;
}

/** A version of a document. */
export interface DocumentVersion {
  /** What stands for the document in all its versions: `DocumentReference/<id>`. */
  document: string;
  /** Higher than that of every version before. */
  number: number;
  /** Whether it says that it takes the place of the version before: what that stated, and this does not, is withdrawn. */
  replaces: boolean;
}

/** One resource as the source states it. */
export interface Fact {
  /** Complete resource with `id` (see `factId`), references to other facts as `Type/id`. */
  resource: Resource;
  /** The identity the id was made from, readable, e.g. `Observation|LAB|F123|718-7|1`. */
  key: string;
  /** When the source said so (ISO 8601): an older statement never overwrites a newer one. */
  asOf: string;
  /**
   * How the statement meets what is known of the same fact.
   * - `replace`: the whole resource is what the source now says.
   * - `merge`: elements present replace theirs, absent elements stay, `clears` are removed (v2 `""`).
   * - `reference`: only stored when nothing is known of this id (a practitioner named in passing).
   * - `withdraw`: the source has deleted it: what is known of this id is entered in error. The resource is its type and id.
   */
  mode: 'replace' | 'merge' | 'reference' | 'withdraw';
  /**
   * Elements the source deletes: `birthDate`; a member of a single element, `period.end`; items of a list by a member's
   * value or code, `telecom[use=work]`, `identifier[system=urn:oid:1.2.3]`, `participant[type=ATND]`,
   * `extension[url=…]`. Only with `merge`; removed before what is stated is put in. See `mergeFact`.
   */
  clears?: string[];
  /**
   * List elements of a `merge` whose items join the known list (an item equal to a known one is not repeated) instead
   * of replacing it: a corrected report that names only the changed results keeps the others.
   */
  adds?: string[];
  /**
   * Elements of a `merge` that are present only because FHIR requires them (an unknown class, a status nobody
   * stated): they fill what is unknown and never replace what is known.
   */
  defaults?: string[];
}

export type IdentityEvent =
  /** A40 and its family: the source says that `retired` is the same person as `surviving` and goes away. */
  | { kind: 'merge'; surviving: string; retired: string; at: string }
  /** A24 / A37. */
  | { kind: 'link' | 'unlink'; a: string; b: string; at: string }
  /** A43: a record that was taken for another person's is `to`'s. */
  | { kind: 'move'; patient: string; to: string; at: string }
  /**
   * A41, A42 and the like: what is filed under the account or visit `retired` is filed under `surviving`. Where it was
   * only `renumbered` (A49–A51), what is known of it goes on as well.
   */
  | { kind: 'replace'; surviving: string; retired: string; renumbered: boolean; at: string }
  /** A44 / A45: an account or visit, with what is filed under it, belongs to the patient `to`. */
  | { kind: 'refile'; of: string; to: string; at: string };

/** Where one atom of the source went. There is no sixth disposition. */
export type Disposition = 'mapped' | 'consumed' | 'structural' | 'kept' | 'rejected';

export interface LedgerEntry {
  /** v2: `PID[1]-5[1].1.1` (segment occurrence, field, repetition, component, sub-component; all from 1). C-CDA: an XPath. */
  source: string;
  disposition: Disposition;
  /** With `mapped`: `Patient/<id>#name[0].family`. */
  target?: string;
  /** Where the target's text is joined of several atoms: which of its characters are this one's (of data: decoded). */
  part?: readonly [from: number, to: number];
  /** The table row that did it, e.g. `PID-5/XPN.1`, or the template. */
  rule?: string;
  /** With `rejected`, and where it helps with `kept`: why. */
  reason?: string;
}

export interface ConversionIssue {
  severity: 'error' | 'warning' | 'information';
  /** A code of http://hl7.org/fhir/issue-type. */
  code:
    | 'required'
    | 'value'
    | 'code-invalid'
    | 'not-supported'
    | 'invariant'
    | 'business-rule'
    | 'duplicate'
    | 'structure';
  /** Where in the source, in the ledger's notation. */
  source: string;
  /** A sentence without personal data that says what is wrong and what would be right. */
  message: string;
}

/** What a conversion must know of where the bytes came from. */
export interface ConversionContext {
  /** The sending organisation's key on the network, e.g. `harbor-hospital`; part of every fact's identity. */
  source: string;
  /** Received at, ISO 8601 with zone; stands in where the source gives no time. */
  receivedAt: string;
  /** IANA zone of the sender for times without an offset; `UTC` unless told. */
  timeZone?: string;
  /** The message's own reference, put in `meta.source`, e.g. `urn:causeway:message:<id>`. */
  messageUri: string;
  /** Local identifier authority → FHIR system, beyond what the product knows. */
  identifierSystems?: Record<string, string>;
  /** Local code system name → FHIR system (e.g. `L` → `https://…/local`). */
  codeSystems?: Record<string, string>;
  /** Standard codes of the sender's local ones. */
  concepts?: ConceptTable;
  /** What the sender's HL7 v2 messages do differently. */
  overlay?: Overlay;
  /** How the columns of its tables are read, by the tables' names. */
  tables?: { [name: string]: ColumnMap };
}
