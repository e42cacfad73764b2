/** GT1, IN1 and IN2: guarantors and coverage. */
import { Cell } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { readConcept, shiftCodings } from '../datatypes/coded.ts';
import { peekAuthority, readExtendedIdentifier, systemOf } from '../datatypes/identifier.ts';
import { readHumanName } from '../datatypes/name.ts';
import { nameKey, readOrganization } from '../datatypes/party.ts';
import { readContactPoint } from '../datatypes/telecom.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { GT1, IN1, IN1_SUBSCRIBER, IN2, IN2_SUBSCRIBER } from '../tables/finance.ts';
import { GT1_STATEMENTS } from '../tables/statements.ts';
import { conceptOf } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';
import { statements } from './statements.ts';

const gt1Rows = compileRows(GT1);
const in1Rows = compileRows(IN1);
const in1SubscriberRows = compileRows(IN1_SUBSCRIBER);
const in2Rows = compileRows(IN2);
const in2SubscriberRows = compileRows(IN2_SUBSCRIBER);

export const gt1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const id = cellOf(segment, 2, run);
  const value = id?.peek(1);
  const name = nameKey([peek(segment, 3), peek(segment, 3, 2)]);
  if (value === undefined && name === '') return;
  const key =
    value === undefined || id === undefined
      ? ['guarantor', name]
      : [systemOf(run, peekAuthority(id.component(4)), id.peek(5)), value];
  const draft = run.draft('RelatedPerson', 'merge', patientOf(state).id, ...key);
  draft.clinical = false;
  draft.resource.patient = subjectOf(state);
  gt1Rows(segment, draft, run);
  statements(segment, GT1_STATEMENTS, state, draft);
  guarantorType(segment, draft, state);
  if (state.account === undefined) return;
  const guarantor: Element = { party: draft.reference };
  if (draft.resource.period !== undefined) guarantor.period = draft.resource.period;
  state.account.append('guarantor', guarantor);
  state.account.adds.push('guarantor');
};

/** A guarantor, and of which type (GT1-10). */
function guarantorType(segment: SourceSegment, draft: Draft, state: State): void {
  const coding: Element[] = [
    { system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass', code: 'GUAR', display: 'guarantor' },
  ];
  const list = (draft.resource.relationship as Element[] | undefined) ?? [];
  const cell = cellOf(segment, 10, state.run)?.at({ draft, base: `relationship[${list.length}].coding[1]` });
  const code = cell?.text('code', 1);
  if (code !== undefined) {
    const display = cell?.text('display', 2);
    const system = 'http://terminology.hl7.org/CodeSystem/v2-0068';
    coding.push({ system, code: code.replace(/\s+/g, ' '), ...(display !== undefined && { display }) });
    cell?.used(3);
  }
  draft.resource.relationship = [...list, { coding }];
}

/** IN1: Coverage by patient, plan and policy or member number. */
export const in1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const plan = peek(segment, 2) ?? peek(segment, 2, 2) ?? peek(segment, 4) ?? peek(segment, 3) ?? '';
  const member = peek(segment, 36) ?? peek(segment, 49) ?? peek(segment, 8) ?? '';
  const draft = run.draft('Coverage', 'merge', patientOf(state).id, plan.toUpperCase(), member.toUpperCase());
  state.coverage = draft;
  draft.resource.beneficiary = subjectOf(state);
  in1Rows(segment, draft, run);
  employerAddress(segment, draft, state);
  draft.require('status', 'active');
  draft.resource.payor = [payor(segment, state) ?? { display: 'Not stated' }];
  const subscriber = subscriberDraft(segment, state);
  if (subscriber !== undefined) draft.resource.subscriber = subscriber.reference;
  completeClasses(draft);
  if (state.account !== undefined) {
    state.account.append('coverage', { coverage: draft.reference });
    state.account.adds.push('coverage');
  }
};

/** IN1-44: the address of the employer through whom the person is insured (IN1-11). */
function employerAddress(segment: SourceSegment, coverage: Draft, state: State): void {
  const reference = (coverage.resource.policyHolder as Element | undefined)?.reference;
  const employer = state.run.referred(reference);
  const cell = cellOf(segment, 44, state.run);
  if (employer === undefined || cell === undefined) return;
  const place = { draft: employer, base: '' };
  const address = readAddress(cell.at(place));
  if (address !== undefined) place.base = `address[${employer.append('address', address)}]`;
}

/** Coverage.class.value is required: a plan or group of which only the name is known is called by it. */
function completeClasses(draft: Draft): void {
  for (const item of (draft.resource.class as Element[] | undefined) ?? []) item.value ??= item.name;
}

/** IN1-3 (id), -4 (name), -5 (address), -6 (contact), -7 (phone): the insurer. */
function payor(segment: SourceSegment, state: State): Element | undefined {
  const run = state.run;
  const named = cellOf(segment, 4, run);
  const id = cellOf(segment, 3, run);
  let reference = named === undefined ? undefined : readOrganization(named);
  const value = id?.peek(1);
  if (reference === undefined && id !== undefined && value !== undefined) {
    const made = run.draft(
      'Organization',
      'reference',
      systemOf(run, peekAuthority(id.component(4)), id.peek(5)),
      value,
    );
    made.clinical = false;
    made.resource.name ??= value;
    reference = made.reference;
  }
  if (reference === undefined) return undefined;
  const organization = run.referred(reference?.reference);
  if (organization === undefined) return reference;
  for (const repetition of segment.fields[3] ?? []) {
    if (repetition === undefined || id === undefined) continue;
    const place = { draft: organization, base: '' };
    const identifier = readExtendedIdentifier(id.of(repetition).at(place));
    if (identifier !== undefined) place.base = `identifier[${organization.append('identifier', identifier)}]`;
  }
  for (const [field, element, read] of [
    [5, 'address', readAddress],
    [6, 'contact', contactOf],
    [7, 'telecom', (at: Cell) => readContactPoint(at, 'work')],
  ] as const) {
    for (const repetition of segment.fields[field] ?? []) {
      if (repetition === undefined) continue;
      const place = { draft: organization, base: '' };
      const found = read(new Cell(repetition, run, `IN1-${field}`, place));
      if (found === undefined) continue;
      place.base = `${element}[${organization.append(element, found)}]${element === 'contact' ? '.name' : ''}`;
    }
  }
  return reference;
}

function contactOf(cell: Cell): Element | undefined {
  const name = readHumanName(cell);
  return name === undefined ? undefined : { name: Array.isArray(name) ? name[0] : name };
}

/**
 * IN1-16: the insured. When IN1-17 says the patient is, what the insurance knows of the patient stands in a related
 * person of relationship ONESELF, since it may differ from what the sender's own registration says.
 */
function subscriberDraft(segment: SourceSegment, state: State): Draft | undefined {
  const relation = peek(segment, 17)?.toUpperCase();
  if (relation === 'SEL' || relation === '18') {
    if ([16, 18, 19, 43].some((field) => segment.fields[field] !== undefined))
      in1SubscriberRows(segment, selfDraft(state), state.run);
    return patientOf(state);
  }
  const name = nameKey([peek(segment, 16), peek(segment, 16, 2)]);
  if (name === '') return undefined;
  const draft = insuredDraft(state, name);
  in1SubscriberRows(segment, draft, state.run);
  return draft;
}

const ROLE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

function selfDraft(state: State): Draft {
  const draft = insuredDraft(state, 'self');
  draft.append('relationship', { coding: [{ system: ROLE, code: 'ONESELF', display: 'self' }] });
  return draft;
}

function insuredDraft(state: State, name: string): Draft {
  const draft = state.run.draft('RelatedPerson', 'merge', patientOf(state).id, 'subscriber', name);
  draft.clinical = false;
  draft.resource.patient = subjectOf(state);
  return draft;
}

export const in2: SegmentHandler = (segment, state) => {
  const coverage = state.coverage;
  if (coverage === undefined) return;
  const run = state.run;
  in2Rows(segment, coverage, run);
  const reference = (coverage.resource.subscriber as Element | undefined)?.reference;
  if ([1, 2, 7, 34, 63, 64].some((field) => segment.fields[field] !== undefined)) {
    const known = run.referred(reference) ?? insuredDraft(state, 'unnamed');
    in2SubscriberRows(segment, known.type === 'RelatedPerson' ? known : selfDraft(state), run);
    coverage.resource.subscriber ??= known.reference;
  }
  relationshipToInsured(segment, coverage, state);
  employer(segment, coverage, state);
};

/** IN2-72: the patient's relationship to the insured, which is what Coverage asks for. */
function relationshipToInsured(segment: SourceSegment, coverage: Draft, state: State): void {
  const cell = cellOf(segment, 72, state.run);
  if (cell === undefined) return;
  const known = coverage.resource.relationship as Element | undefined;
  const codings = (known?.coding as Element[] | undefined) ?? [];
  const place = { draft: coverage, base: 'relationship' };
  const concept = readConcept(cell.at(place), conceptOf('coverageRelationship', cell.peek(1)));
  if (concept === undefined) return;
  const stated = (concept.coding as Element[] | undefined) ?? [];
  if (codings.length > 0 && stated.length > 0) shiftCodings(insured(state)?.fields[17]?.[0], stated.length);
  coverage.resource.relationship = {
    ...known,
    ...concept,
    ...(stated.length > 0 && { coding: [...stated, ...codings] }),
  };
}

/** IN1 of the IN2 in hand. */
function insured({ segments, index }: State): SourceSegment | undefined {
  for (let at = index; at >= 0; at--) if (segments[at]!.name === 'IN1') return segments[at];
  return undefined;
}

/** IN2-70, -49 and -50: the insured's employer, by whom the person is insured unless IN1-11 names another group. */
function employer(segment: SourceSegment, coverage: Draft, state: State): void {
  const run = state.run;
  const cell = cellOf(segment, 70, run);
  const named = cell === undefined ? undefined : readOrganization(cell);
  const known = coverage.resource.policyHolder as Element | undefined;
  if (known === undefined && named !== undefined) coverage.resource.policyHolder = named;
  const organization = run.referred((named ?? known)?.reference);
  if (organization?.type !== 'Organization') return;
  const contact: Element = {};
  const index = ((organization.resource.contact as Element[] | undefined) ?? []).length;
  const place = { draft: organization, base: `contact[${index}]` };
  const person = cellOf(segment, 49, run)?.at({ draft: organization, base: `contact[${index}].name` });
  const name = person === undefined ? undefined : readHumanName(person);
  if (name !== undefined) contact.name = Array.isArray(name) ? name[0] : name;
  const phone = cellOf(segment, 50, run)?.at({ draft: organization, base: `${place.base}.telecom[0]` });
  const point = phone === undefined ? undefined : readContactPoint(phone, 'work');
  if (point !== undefined) contact.telecom = [point];
  if (Object.keys(contact).length > 0) organization.append('contact', contact);
}
