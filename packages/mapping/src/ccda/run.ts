/**
 * What one conversion knows while it runs: the document, the facts so far, the account, and the references that are
 * bound when every fact has its final identity.
 */
import type { CdaDocument, NarrativePlace, XmlDocument, XmlElement } from '@causeway/ccda';
import type { ConversionContext, ConversionIssue } from '../conversion.ts';
import { Account, type AtomPlace } from './account.ts';
import { ByElement } from './by-element.ts';
import { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { StoredTexts } from './stored-texts.ts';
import { instantOf } from './time.ts';

/** What someone did to some facts at one time. */
export interface Agency {
  /** A code of provenance-participant-type. */
  kind: string;
  /** Absent when the source says when, and not who. */
  who?: Draft;
  organization?: Draft;
  time?: string;
  /** The atoms that state the time. */
  times: AtomPlace[];
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
  readonly owners = new ByElement<Draft>();
  /** Statements whose content went into the resource of another. */
  readonly folded = new ByElement<Draft>();
  /** Entity drafts by any of their identifiers. */
  readonly byIdentifier = new Map<string, Draft>();
  /** Entities by their type and the markup that tells of them, with the number of the element that did so first. */
  readonly entities = new Map<string, { order: number; draft: Draft }>();
  readonly agencies = new Map<string, Agency>();
  /** Participations to which some resource refers. */
  readonly placed = new ByElement<true>();
  /** Entry References to resolve when all facts are known. */
  readonly entryReferences: { order: number; entry: XmlElement; from: Draft }[] = [];
  /** Observations that the patient died. */
  readonly deaths: Draft[] = [];
  /** Ids that name several statements: `class|root|extension`. */
  sharedIds: ReadonlySet<string> = new Set();
  patient!: Draft;
  /** `root|extension` of every identifier of the patient. */
  readonly patientIds = new Set<string>();
  /** What makes a fact this patient’s: part of every clinical identity. */
  patientIdentity = '';
  private readonly drafts = new Map<string, Draft>();
  private references: { holder: Json; draft: Draft }[] = [];
  /** Of a large document: drafts whose resources are at work. */
  private atWork: Draft[] = [];
  private readonly shelf = { texts: new StoredTexts(), onWake: (draft: Draft): void => void this.atWork.push(draft) };
  /** Elements by their `ID`; of a large document, by their place. */
  private narrativeIds: Map<string, XmlElement | NarrativePlace> | undefined;
  /** Parts of narratives that were read while one entry is converted. */
  private readonly narrativeParts = new Map<string, XmlElement>();

  constructor(document: CdaDocument, context: ConversionContext) {
    this.document = document;
    this.context = context;
    this.zone = context.timeZone ?? 'UTC';
    const time = document.header?.effectiveTime?.value;
    this.documentTime = (time && instantOf(time, this.zone)) || context.receivedAt;
  }

  draft(type: string, identity: readonly string[], mode: Draft['mode'] = 'replace'): Draft {
    const { source } = this.context;
    if (!this.document.xml.isFolded) return new Draft(source, type, identity, this.documentTime, mode);
    const draft = new Draft(source, type, identity, this.documentTime, mode, this.shelf);
    this.atWork.push(draft);
    return draft;
  }

  /**
   * Puts away what was made of a part of a large document, once that is done: references to what was admitted do not
   * change any more. @param entry whose elements are done, while they are there
   */
  settle(entry: XmlElement): void {
    if (!this.document.xml.isFolded) return;
    let last = entry;
    for (let at = last.children.at(-1); at !== undefined; at = last.children.at(-1)) last = at;
    this.account.settle(entry.order, last.order + 1);
    this.storeAll();
  }

  /** Keeps the resources of a large document as texts, but for the patient's. */
  storeAll(): void {
    if (!this.document.xml.isFolded) return;
    this.bindReferences();
    this.narrativeParts.clear();
    for (const draft of this.atWork) {
      if (draft !== this.patient && this.drafts.get(draft.id) === draft) draft.store();
    }
    this.atWork = [];
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

  /** Forgets what only the conversion needed, before all that it made is told. */
  finish(): void {
    for (const known of [this.owners, this.folded, this.placed, this.byIdentifier, this.entities, this.agencies]) {
      known.clear();
    }
    this.account.clear();
    this.narrativeIds = undefined;
  }

  bindReferences(): void {
    for (const { holder, draft } of this.references) holder.reference = draft.reference;
    this.references = [];
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
    const known = this.narrativePart(reference);
    if (known === undefined || !('around' in known)) return known;
    let part = this.narrativeParts.get(reference);
    if (part === undefined) {
      part = this.document.xml.part(known);
      this.narrativeParts.set(reference, part);
    }
    return part;
  }

  /** Whether a narrative reference names an element. */
  hasNarrative(reference: string): boolean {
    return this.narrativePart(reference) !== undefined;
  }

  private narrativePart(reference: string): XmlElement | NarrativePlace | undefined {
    if (!reference.startsWith('#')) return undefined;
    if (this.narrativeIds === undefined) {
      this.narrativeIds = new Map();
      collectIds(this.document.xml, this.document.xml.root, undefined, this.narrativeIds);
    }
    return this.narrativeIds.get(reference.slice(1));
  }
}

/** @param text the narrative around the element, where that is let go */
function collectIds(
  xml: XmlDocument,
  element: XmlElement,
  text: XmlElement | undefined,
  ids: Map<string, XmlElement | NarrativePlace>,
): void {
  if (element.name === 'entry') return;
  const id = element.attr('ID');
  const around = xml.isLetGo(element) ? element : text;
  if (id !== undefined && !ids.has(id)) ids.set(id, around === undefined ? element : placeIn(around, element));
  xml.within(element, () => {
    for (const child of element.children) collectIds(xml, child, around, ids);
  });
}

function placeIn(text: XmlElement, { start, end, order, parent }: XmlElement): NarrativePlace {
  return { text, start, end, order, around: parent!.name };
}
