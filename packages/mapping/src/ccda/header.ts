/**
 * The header's participants, orders, consents and services, on the Composition (HL7's guide "C-CDA on FHIR" has the
 * extensions), and the team that performed the documented service.
 */
import type { XmlElement } from '@causeway/ccda';
import { codeableConcept, dateTime, identifier, period } from './data-types.ts';
import type { Draft } from './draft.ts';
import { applyRows } from './engine.ts';
import type { Json } from './fhir-path.ts';
import { organization, organizationOf, participant } from './participants.ts';
import type { Run } from './run.ts';
import { CARE_TEAM_PERFORMER } from './tables/care.ts';

const GUIDE = 'http://hl7.org/fhir/us/ccda/StructureDefinition/';
const VERSION = 'http://hl7.org/fhir/StructureDefinition/composition-clinicaldocument-versionNumber';

/** Puts on the Composition what the header says beside its rows. */
export function addDocumentHeader(run: Run, draft: Draft): void {
  const { header, xml } = run.document;
  const { resource } = draft;
  run.account.rule = 'Composition';
  const confidentiality = xml.root.child('confidentialityCode');
  const code = confidentiality?.attr('code');
  if (confidentiality !== undefined && code !== undefined && /^[LMNRUV]$/.test(code)) {
    resource.confidentiality = code;
    run.account.mapped(confidentiality, 'code', draft, 'confidentiality');
  }
  const language = xml.root.child('languageCode');
  if (language?.attr('code') !== undefined) {
    resource.language = language.attr('code');
    run.account.mapped(language, 'code', draft, 'language');
  }
  const version = xml.root.child('versionNumber');
  if (version?.attr('value') !== undefined) {
    const path = draft.put('extension[]', { url: VERSION, valueString: version.attr('value') });
    run.account.mapped(version, 'value', draft, `${path}.valueString`);
  }
  const custodian = header?.custodian?.find('assignedCustodian', 'representedCustodianOrganization');
  const keeper = custodian && organization(run, custodian);
  if (keeper !== undefined) resource.custodian = run.referenceTo(keeper);
  for (const [element, mode] of attesters(run)) addAttester(run, element, mode, draft);
  for (const service of servicesOf(run)) addEvent(run, service, draft);
  if (header !== undefined) addParticipants(run, draft);
}

export function servicesOf(run: Run): XmlElement[] {
  return run.document.header?.documentationOf.flatMap((one) => one.all('serviceEvent')) ?? [];
}

function attesters(run: Run): [XmlElement, string][] {
  const { header } = run.document;
  const legal = header?.legalAuthenticator;
  const others = (header?.authenticators ?? []).map((one): [XmlElement, string] => [one, 'professional']);
  return legal === undefined ? others : [[legal, 'legal'], ...others];
}

function addAttester(run: Run, element: XmlElement, mode: string, draft: Draft): void {
  const who = participant(run, element);
  const attester: Json = { mode };
  const path = `attester[${((draft.resource.attester as unknown[] | undefined) ?? []).length}].time`;
  const time = element.child('time');
  const at = time && dateTime(run, time, { draft, path });
  if (at !== undefined) attester.time = at;
  if (who !== undefined) attester.party = run.referenceTo(who);
  const signature = element.child('signatureCode');
  if (signature?.attr('code') === 'S') run.account.consumeBelow(signature, 'signed: an attester');
  draft.put('attester[]', attester);
}

function addEvent(run: Run, service: XmlElement, draft: Draft): void {
  const path = `event[${((draft.resource.event as unknown[] | undefined) ?? []).length}]`;
  const event: Json = {};
  const time = service.child('effectiveTime');
  const during = time && period(run, time, { draft, path: `${path}.period` });
  if (during !== undefined) event.period = during;
  const code = service.child('code');
  const concept = code && codeableConcept(run, code, { draft, path: `${path}.code[0]` });
  if (concept !== undefined) event.code = [concept];
  const details = service.all('id').flatMap((id, n) => {
    const value = identifier(run, id, { draft, path: `${path}.detail[${n}].identifier` });
    return value === undefined ? [] : [{ identifier: value }];
  });
  if (details.length > 0) event.detail = details;
  if (Object.keys(event).length > 0) draft.put('event[]', event);
}

function addParticipants(run: Run, draft: Draft): void {
  const header = run.document.header!;
  const groups: [string, readonly XmlElement[]][] = [
    ['DataEntererExtension', header.dataEnterer === undefined ? [] : [header.dataEnterer]],
    ['InformantExtension', header.informants],
    ['InformationRecipientExtension', header.informationRecipients],
    ['ParticipantExtension', header.participants],
    ['PerformerExtension', servicesOf(run).flatMap((service) => service.all('performer'))],
  ];
  for (const [name, elements] of groups) {
    const seen = new Set<Draft>();
    for (const element of elements) {
      const who = participant(run, element);
      if (who === undefined || seen.has(who)) continue;
      seen.add(who);
      draft.put('extension[]', { url: `${GUIDE}${name}`, valueReference: run.referenceTo(who) });
    }
  }
  for (const order of header.inFulfillmentOf)
    addLogical(run, order.child('order'), draft, 'OrderExtension', 'ServiceRequest');
  for (const one of run.document.xml.root.all('authorization')) {
    addLogical(run, one.child('consent'), draft, 'AuthorizationExtension', 'Consent');
  }
}

/** What the header names by its id only: a reference by identifier. */
function addLogical(run: Run, element: XmlElement | undefined, draft: Draft, name: string, type: string): void {
  for (const id of element?.all('id') ?? []) {
    const place = `extension[${((draft.resource.extension as unknown[] | undefined) ?? []).length}].valueReference`;
    const value = identifier(run, id, { draft, path: `${place}.identifier` });
    if (value === undefined) continue;
    const reference: Json = { type, identifier: value };
    const display = element?.child('code')?.attr('displayName');
    if (display !== undefined) {
      reference.display = display;
      run.account.mapped(element!.child('code')!, 'displayName', draft, `${place}.display`);
    }
    draft.put('extension[]', { url: `${GUIDE}${name}`, valueReference: reference });
  }
}

/** Who performed the documented service, as what and when; the primary care physician is also the patient's own. */
export function makeServiceTeam(run: Run, key: string): void {
  const performers = servicesOf(run).flatMap((service) => service.all('performer'));
  if (performers.length === 0) return;
  const draft = run.draft('CareTeam', [run.patientIdentity, key, 'service']);
  const { resource } = draft;
  resource.status = 'active';
  resource.name = 'Performers of the documented service';
  resource.subject = run.referenceTo(run.patient);
  for (const performer of performers) {
    applyRows(run, performer, draft, CARE_TEAM_PERFORMER, 'serviceEvent/performer');
    const who = participant(run, performer);
    if (performer.child('functionCode')?.attr('code') !== 'PCP' || who?.type !== 'Practitioner') continue;
    const known = (run.patient.resource.generalPractitioner as Json[] | undefined) ?? [];
    if (!known.some((one) => one.reference === who.reference)) {
      run.patient.put('generalPractitioner[]', run.referenceTo(who));
    }
  }
  const members = (resource.participant as Json[] | undefined)?.filter((one) => one.member !== undefined) ?? [];
  if (members.length === 0) return;
  resource.participant = members;
  const [behalf] = performers.map((one) => organizationOf(run, one)).filter((one) => one !== undefined);
  if (behalf !== undefined) resource.managingOrganization = [run.referenceTo(behalf)];
  run.admit(draft, performers[0]!);
}
