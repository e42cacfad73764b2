/**
 * The plan of a document: one CarePlan for each section of that kind, with the requests, goals and concerns it stands
 * for (US Core CarePlan). The same plan in a corrected document is the same CarePlan.
 */

import { firstCode } from './concepts.ts';
import type { SectionFacts } from './document-facts.ts';
import type { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { REQUESTS } from './links.ts';
import { narrativeOf } from './narrative.ts';
import type { Run } from './run.ts';

/** LOINC: plan of care, evaluation and plan, overall plan of care. */
const PLANS = new Set(['18776-5', '51847-2', '52521-2']);
const CATEGORY = 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category';

/** Makes the CarePlans; `key` names the document or what it corrects. */
export function makeCarePlans(run: Run, sections: readonly SectionFacts[], key: string, encounter?: Draft): void {
  for (const { section, facts, inner } of sections) {
    makeCarePlans(run, inner, key, encounter);
    const code = section.code?.code;
    if (code === undefined || !PLANS.has(code)) continue;
    const div = section.text && narrativeOf(run, section.text);
    if (facts.length === 0 && (div === undefined || section.nullFlavor !== undefined)) continue;
    const draft = run.draft('CarePlan', [run.patientIdentity, key, code]);
    const { resource } = draft;
    resource.status = 'active';
    resource.intent = 'plan';
    resource.category = [{ coding: [{ system: CATEGORY, code: 'assess-plan' }] }];
    if (section.title !== undefined) resource.title = section.title;
    if (div !== undefined) resource.text = { status: 'additional', div };
    resource.subject = run.referenceTo(run.patient);
    if (encounter !== undefined) resource.encounter = run.referenceTo(encounter);
    resource.created = run.documentTime;
    const planned = [...new Set(facts)].filter((fact) => REQUESTS.includes(fact.type));
    if (planned.length > 0) resource.activity = planned.map((fact) => ({ reference: run.referenceTo(fact) }));
    refer(run, resource, 'goal', (fact) => fact.type === 'Goal');
    refer(run, resource, 'addresses', isHealthConcern);
    run.admit(draft, section.element);
  }
}

function refer(run: Run, resource: Json, name: string, belongs: (fact: Draft) => boolean): void {
  const found = run.all().filter(belongs);
  if (found.length > 0) resource[name] = found.map((fact) => run.referenceTo(fact));
}

function isHealthConcern(fact: Draft): boolean {
  if (fact.type !== 'Condition' || !fact.mayHold('health-concern')) return false;
  return ((fact.resource.category as Json[] | undefined) ?? []).some((one) => firstCode(one) === 'health-concern');
}
