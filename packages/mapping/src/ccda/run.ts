/**
 * What one conversion knows while it runs: the document, the facts so far, the account, and the references that are
 * bound when every fact has its final identity.
 */
import type { CdaDocument, XmlElement } from '@causeway/ccda';
import type { ConversionContext, ConversionIssue } from '../conversion.ts';
import { Account } from './account.ts';
import { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { instantOf } from './time.ts';

/** What someone did to some facts at one time. */
export interface Agency {
  /** A code of provenance-participant-type. */
  kind: string;
  /** Absent when the source says when, and not who. */
  who?: Draft;
  organization?: Draft;
  time?: string;
  /** The elements that state the time. */
  times: XmlElement[];
  targets: Set<Draft>;
}

export class Run {
  readonly document: CdaDocument;
  readonly context: ConversionContext;
  readonly account = new Account();
  readonly issues: ConversionIssue[] = [];
  readonly zone: string;
  /** The instant at which the document speaks. */
  readonly documentTime: string;
  /** Clinical statements and participations, and the resource that tells of each. */
  readonly owners = new Map<XmlElement, Draft>();
  /** Statements whose content went into the resource of another. */
  readonly folded = new Map<XmlElement, Draft>();
  /** Entity drafts by any of their identifiers. */
  readonly byIdentifier = new Map<string, Draft>();
  /** Entities by their type and the markup that tells of them. */
  readonly entities = new Map<string, { element: XmlElement; draft: Draft }>();
  readonly agencies = new Map<string, Agency>();
  /** Participations to which some resource refers. */
  readonly placed = new Set<XmlElement>();
  /** Entry References to resolve when all facts are known. */
  readonly entryReferences: { element: XmlElement; from: Draft }[] = [];
  /** Ids that name several statements: `class|root|extension`. */
  sharedIds: ReadonlySet<string> = new Set();
  patient!: Draft;
  /** `root|extension` of every identifier of the patient. */
  readonly patientIds = new Set<string>();
  /** What makes a fact this patient’s: part of every clinical identity. */
  patientIdentity = '';
  private readonly drafts = new Map<string, Draft>();
  private readonly references: { holder: Json; draft: Draft }[] = [];
  private narrativeIds: Map<string, XmlElement> | undefined;

  constructor(document: CdaDocument, context: ConversionContext) {
    this.document = document;
    this.context = context;
    this.zone = context.timeZone ?? 'UTC';
    const time = document.header?.effectiveTime?.value;
    this.documentTime = (time && instantOf(time, this.zone)) || context.receivedAt;
  }

  draft(type: string, identity: readonly string[], mode: Draft['mode'] = 'replace'): Draft {
    return new Draft(this.context.source, type, identity, this.documentTime, mode);
  }

  /**
   * Takes a finished draft into the result. When another of the same identity is there, the two become one if they
   * agree; if not, the second gets an identity that names its content too.
   */
  admit(draft: Draft, at: XmlElement): Draft {
    const known = this.drafts.get(draft.id);
    if (known === draft) return draft;
    if (known === undefined) {
      this.drafts.set(draft.id, draft);
      return draft;
    }
    if (known.absorb(draft)) return known;
    if (draft.type === 'Encounter') {
      // The header and a section both tell of the encounter: it is one all the same.
      const differ = known.adopt(draft).join(', ');
      this.issue(
        'warning',
        'business-rule',
        at,
        `the encounter is told twice, with another ${differ}; the first counts`,
      );
      return known;
    }
    this.issue('warning', 'duplicate', at, 'the id is also used for a different statement; each id should name one');
    const { id: _, text: __, ...content } = draft.resource;
    draft.identify([...draft.key.split('|').slice(1), 'content', JSON.stringify(content)]);
    draft.key = `${draft.key.slice(0, draft.key.indexOf('|content|'))}|content|${draft.id}`;
    return this.admit(draft, at);
  }

  /** A FHIR Reference that gets the draft's final id in the end. */
  referenceTo(draft: Draft, display?: string): Json {
    const holder: Json = display === undefined ? { reference: '' } : { reference: '', display };
    this.references.push({ holder, draft });
    holder.reference = draft.reference;
    return holder;
  }

  isShared(kind: string, id: string): boolean {
    return this.sharedIds.has(`${kind}|${id}`);
  }

  bindReferences(): void {
    for (const { holder, draft } of this.references) holder.reference = draft.reference;
  }

  all(): Draft[] {
    return [...this.drafts.values()];
  }

  issue(
    severity: ConversionIssue['severity'],
    code: ConversionIssue['code'],
    element: XmlElement,
    message: string,
  ): void {
    this.issues.push({ severity, code, source: element.path, message });
  }

  /** The element that a narrative reference (`#id`) names. */
  narrative(reference: string): XmlElement | undefined {
    if (!reference.startsWith('#')) return undefined;
    if (this.narrativeIds === undefined) {
      this.narrativeIds = new Map();
      collectIds(this.document.xml.root, this.narrativeIds);
    }
    return this.narrativeIds.get(reference.slice(1));
  }
}

function collectIds(element: XmlElement, ids: Map<string, XmlElement>): void {
  if (element.name === 'entry') return;
  const id = element.attr('ID');
  if (id !== undefined && !ids.has(id)) ids.set(id, element);
  for (const child of element.children) collectIds(child, ids);
}
