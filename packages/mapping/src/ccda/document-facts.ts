/**
 * The document itself: Composition with the narrative of its sections, DocumentReference to the original, the
 * encounter it was written in, and Provenance of what its authors said.
 */
import type { CdaSection, XmlElement } from '@causeway/ccda';
import type { AtomPlace } from './account.ts';
import { translate } from './concept-maps.ts';
import { absentReason, codeableConcept, identifier } from './data-types.ts';
import type { Draft } from './draft.ts';
import { applyRows } from './engine.ts';
import type { Json } from './fhir-path.ts';
import { addDocumentHeader } from './header.ts';
import { identityOf } from './identity.ts';
import { narrativeOf } from './narrative.ts';
import { location, organization, participant } from './participants.ts';
import type { Run } from './run.ts';
import type { Row } from './table.ts';
import { ENCOUNTER_PARTICIPANT } from './tables/care.ts';

const ENCOMPASSING: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['code', 'type[]', 'concept'],
  ['effectiveTime', 'period', 'period'],
  ['effectiveTime[@value]', 'period.start', 'dateTime'],
  ['dischargeDispositionCode', 'hospitalization.dischargeDisposition', 'concept'],
  ['responsibleParty', 'participant[].individual', 'participant'],
  ['encounterParticipant', 'participant[]', 'group', ENCOUNTER_PARTICIPANT],
];

const COMPOSITION: readonly Row[] = [
  ['setId', 'identifier', 'identifier'],
  ['id', 'identifier', 'identifier'],
  ['code', 'type', 'concept'],
  ['title', 'title', 'text'],
  ['effectiveTime', 'date', 'dateTime'],
];

/** componentOf/encompassingEncounter → Encounter. */
export function convertEncompassingEncounter(run: Run): Draft | undefined {
  const element = run.document.header?.componentOf?.child('encompassingEncounter');
  if (element === undefined) return undefined;
  const identified = element.all('id').some((one) => one.attr('root') !== undefined);
  const own = [run.patientIdentity, `${documentKey(run)}|encompassing`];
  const draft = run.draft('Encounter', identified ? identityOf(run, element, 'Encounter') : own);
  applyRows(run, element, draft, ENCOMPASSING, 'encompassingEncounter');
  const { resource } = draft;
  resource.subject = run.referenceTo(run.patient);
  resource.status = (resource.period as Json | undefined)?.end === undefined ? 'unknown' : 'finished';
  resource.class = { extension: [absentReason('UNK')] };
  const code = element.child('code');
  if (code?.attr('codeSystem') === '2.16.840.1.113883.5.4') {
    resource.class = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: code.attr('code') };
  }
  const facility = element.find('location', 'healthCareFacility');
  const place = facility && location(run, facility);
  if (place !== undefined) resource.location = [{ location: run.referenceTo(place) }];
  const provider = facility?.child('serviceProviderOrganization');
  const organizationDraft = provider && organization(run, provider);
  if (organizationDraft !== undefined) resource.serviceProvider = run.referenceTo(organizationDraft);
  run.owners.set(element, draft);
  return run.admit(draft, element);
}

export interface SectionFacts {
  section: CdaSection;
  facts: Draft[];
  /** The places in the narrative that speak of them. */
  links: Map<Draft, { value: string; place: AtomPlace }>;
  inner: SectionFacts[];
}

export function makeComposition(
  run: Run,
  sections: readonly SectionFacts[],
  encounter: Draft | undefined,
): Draft | undefined {
  const { header, xml } = run.document;
  if (sections.length === 0 && (header?.id === undefined || run.document.nonXmlBody !== undefined)) return undefined;
  const draft = run.draft('Composition', [documentKey(run)]);
  const { resource } = draft;
  applyRows(run, xml.root, draft, xml.root.name === 'ClinicalDocument' ? COMPOSITION : [], 'Composition');
  resource.status = 'final';
  resource.type ??= { extension: [absentReason('UNK')] };
  resource.subject = run.referenceTo(run.patient);
  resource.date ??= run.documentTime;
  resource.title ??= 'Clinical document';
  if (encounter !== undefined) resource.encounter = run.referenceTo(encounter);
  const authors = authorsOf(run);
  resource.author = authors.length > 0 ? authors : [{ extension: [absentReason('UNK')] }];
  addDocumentHeader(run, draft);
  if (sections.length > 0) resource.section = sections.map((one, n) => sectionOf(run, one, draft, `section[${n}]`));
  return run.admit(draft, xml.root);
}

function custodianOf(run: Run, custodian: XmlElement): Draft | undefined {
  const element = custodian.find('assignedCustodian', 'representedCustodianOrganization');
  return element && organization(run, element);
}

function authorsOf(run: Run): Json[] {
  const seen = new Set<Draft>();
  for (const author of run.document.header?.authors ?? []) {
    const who = participant(run, author);
    if (who !== undefined) seen.add(who);
  }
  return [...seen].map((who) => run.referenceTo(who));
}

const NARRATIVE_LINK = 'http://hl7.org/fhir/StructureDefinition/narrativeLink';

function sectionOf(run: Run, { section, facts, links, inner }: SectionFacts, draft: Draft, path: string): Json {
  const result: Json = {};
  run.account.rule = 'section';
  const title = section.element.child('title');
  if (title !== undefined && section.title !== undefined) {
    result.title = section.title;
    run.account.mapped(title, '#text', draft, `${path}.title`);
  }
  const code = section.element.child('code');
  const concept = code && codeableConcept(run, code, { draft, path: `${path}.code` });
  if (concept !== undefined) result.code = concept;
  const div = section.text && narrativeOf(run, section.text);
  if (section.text !== undefined) {
    if (div !== undefined) run.account.mapped(section.text, '#text', draft, `${path}.text.div`);
    else run.account.structural(section.text, '#text');
  }
  if (div !== undefined) result.text = { status: 'generated', div };
  const entries = [...new Set(facts)];
  if (entries.length > 0) {
    result.entry = entries.map((fact, n) => {
      const reference = run.referenceTo(fact);
      const link = links.get(fact);
      if (link === undefined) return reference;
      reference.extension = [{ url: NARRATIVE_LINK, valueUrl: link.value }];
      run.account.mappedAt(link.place, draft, `${path}.entry[${n}].extension[0].valueUrl`);
      return reference;
    });
  }
  if (inner.length > 0) result.section = inner.map((one, n) => sectionOf(run, one, draft, `${path}.section[${n}]`));
  const flavor = section.nullFlavor;
  if (flavor !== undefined && entries.length === 0) {
    result.emptyReason = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: emptyReason(flavor) }],
    };
    run.account.consumed(section.element, 'nullFlavor', 'emptyReason');
  }
  return result;
}

function emptyReason(nullFlavor: string): string {
  if (nullFlavor === 'NASK') return 'notasked';
  if (nullFlavor === 'MSK') return 'withheld';
  return 'unavailable';
}

/** The whole document, by reference to the original bytes. */
export function makeDocumentReference(run: Run, encounter: Draft | undefined): Draft | undefined {
  const { root } = run.document.xml;
  const { header } = run.document;
  if (root.name !== 'ClinicalDocument' || header === undefined) return undefined;
  const draft = run.draft('DocumentReference', [documentKey(run)]);
  const { resource } = draft;
  applyRows(
    run,
    root,
    draft,
    [
      ['id', 'masterIdentifier', 'identifier'],
      ['setId', 'identifier[]', 'identifier'],
      ['code', 'type', 'concept'],
      ['title', 'description', 'text'],
      ['effectiveTime', 'date', 'instant'],
      ['confidentialityCode', 'securityLabel[]', 'concept'],
    ],
    'DocumentReference',
  );
  resource.status = 'current';
  resource.subject = run.referenceTo(run.patient);
  const authors = authorsOf(run);
  if (authors.length > 0) resource.author = authors;
  const custodian = header.custodian && custodianOf(run, header.custodian);
  if (custodian !== undefined) resource.custodian = run.referenceTo(custodian);
  const legal = header.legalAuthenticator && participant(run, header.legalAuthenticator);
  if (legal !== undefined) resource.authenticator = run.referenceTo(legal);
  for (const related of header.relatedDocuments) addRelated(run, related, draft);
  resource.content = [{ attachment: attachmentOf(run, draft) }];
  if (encounter !== undefined) resource.context = { encounter: [run.referenceTo(encounter)] };
  const result = run.admit(draft, root);
  for (const related of header.relatedDocuments) if (related.attr('typeCode') === 'RPLC') supersede(run, related);
  return result;
}

function attachmentOf(run: Run, draft: Draft): Json {
  const attachment: Json = { contentType: 'text/xml', url: run.context.messageUri };
  const language = run.document.xml.root.child('languageCode');
  if (language?.attr('code') !== undefined) {
    attachment.language = language.attr('code');
    run.account.mapped(language, 'code', draft, 'content[0].attachment.language');
  }
  const body = run.document.nonXmlBody;
  if (body === undefined) return attachment;
  const mediaType = body.attr('mediaType');
  attachment.url = `${run.context.messageUri}#nonXMLBody`;
  if (mediaType !== undefined) {
    attachment.contentType = mediaType;
    run.account.mapped(body, 'mediaType', draft, 'content[0].attachment.contentType');
  }
  const reason = 'the bytes stay in the original, to which the attachment refers';
  run.account.kept(body, '#text', draft, 'content[0].attachment.url', reason);
  return attachment;
}

function addRelated(run: Run, related: XmlElement, draft: Draft): void {
  const code = related.attr('typeCode');
  const relation = code && translate('relatedDocument', code);
  const id = related.find('parentDocument', 'id');
  const kind = related.find('parentDocument', 'code');
  if (kind?.attr('code') === run.document.header?.code?.code && kind !== undefined) {
    run.account.consumeBelow(kind, 'relatedDocument: a document of the same type');
  }
  if (!relation || id === undefined) return;
  const path = `relatesTo[${((draft.resource.relatesTo as unknown[] | undefined) ?? []).length}]`;
  const target = identifier(run, id, { draft, path: `${path}.target.identifier` });
  if (target === undefined) return;
  run.account.consumed(related, 'typeCode', 'relatedDocument');
  draft.put('relatesTo[]', { code: relation, target: { identifier: target } });
}

/** A document that is replaced by one of another set, or of none, is no longer current. */
function supersede(run: Run, related: XmlElement): void {
  const id = related.find('parentDocument', 'id');
  const set = related.find('parentDocument', 'setId');
  const known = run.document.header?.setId;
  const named = set?.attr('root') === undefined ? id : set;
  if (named?.attr('root') === undefined) return;
  const key = `${named.attr('root') ?? ''}|${named.attr('extension') ?? ''}`;
  if (set !== undefined && known !== undefined && set.attr('root') === known.root) {
    for (const name of ['root', 'extension']) {
      if (set.attr(name) === known[name as 'root']) run.account.consumed(set, name, 'relatedDocument: the same set');
    }
  }
  if (key === documentKey(run)) return;
  const parent = run.draft('DocumentReference', [key], 'merge');
  Object.assign(parent.resource, {
    status: 'superseded',
    subject: run.referenceTo(run.patient),
    content: [{ attachment: { title: 'not sent' } }],
  });
  parent.defaults = ['content'];
  run.admit(parent, related);
}

/** One Provenance for one agent at one time. */
export function makeProvenance(run: Run, original: Draft | undefined): void {
  for (const { kind, who, organization: behalf, time, times, targets } of run.agencies.values()) {
    const draft = run.draft('Provenance', [documentKey(run), kind, who?.key ?? 'unnamed', who?.id ?? '', time ?? '']);
    const agent: Json = {
      type: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: kind }],
      },
      who: who === undefined ? { extension: [absentReason('UNK')] } : run.referenceTo(who),
    };
    if (behalf !== undefined && behalf !== who) agent.onBehalfOf = run.referenceTo(behalf);
    draft.resource.target = [...targets].map((target) => run.referenceTo(target));
    draft.resource.recorded = time ?? run.documentTime;
    draft.resource.agent = [agent];
    if (original !== undefined) draft.resource.entity = [{ role: 'source', what: run.referenceTo(original) }];
    run.account.rule = 'provenance';
    for (const place of times) run.account.mappedAt(place, draft, 'recorded');
    run.admit(draft, run.document.xml.root);
  }
}

/**
 * What the document and its corrections have in common: the set of versions, or else the document alone. So a document
 * that replaces one of its set revises the same resources.
 */
export function documentKey(run: Run): string {
  const set = run.document.header?.setId;
  if (set?.root !== undefined) return `${set.root}|${set.extension ?? ''}`;
  const id = run.document.header?.id;
  if (id?.root !== undefined) return `${id.root}|${id.extension ?? ''}`;
  return [
    run.patientIdentity,
    run.document.header?.code?.code,
    run.document.header?.effectiveTime?.value,
    run.context.messageUri,
  ].join('|');
}
