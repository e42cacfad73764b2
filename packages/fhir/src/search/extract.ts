/** The values a resource is found by, and the patients in whose compartment it is. */
import type { Resource } from '@medplum/fhirtypes';
import { definitions } from '../definitions/definitions.ts';
import type { IndexValue } from './index-value.ts';
import { planOf, typeSearch } from './parameters.ts';
import type { PlanNode } from './plan.ts';
import { runPlan } from './plan.ts';

/**
 * The index values of a resource for all compiled parameters of its type, except `_id`, `_lastUpdated` and those that are
 * unions of others (`unionOf`). `base` is this server's own base URL with a slash at its end. Never throws, whatever the resource holds; none for unknown types.
 */
export function extract(resource: Resource, base?: string): IndexValue[] {
  const out: IndexValue[] = [];
  const compiled = typeSearch((resource as { resourceType?: string }).resourceType ?? '');
  if (compiled !== undefined) runPlan(compiled.plan, resource, out, { base, resource });
  return out;
}

/**
 * The ids of the patients to whose compartment the resource belongs (https://hl7.org/fhir/R4/compartmentdefinition-patient.html):
 * a Patient to its own and to those it links to; others by the parameters the definition names. In order, each once.
 */
export function compartment(resourceType: string, resource: Resource, base?: string): string[] {
  const plan = compartmentPlan(resourceType);
  if (plan === undefined) return [];
  const ids = new Set<string>();
  if (resourceType === 'Patient' && typeof resource.id === 'string') ids.add(resource.id);
  const out: IndexValue[] = [];
  runPlan(plan, resource, out, { base, resource });
  for (const value of out) {
    if (value.kind === 'reference' && value.type === 'Patient' && value.id !== undefined) ids.add(value.id);
  }
  return [...ids];
}

/** Whether resources of a type can be in a Patient compartment. */
export function isInPatientCompartment(resourceType: string): boolean {
  return Object.hasOwn(definitions().artifact.patientCompartment, resourceType);
}

function compartmentPlan(resourceType: string): PlanNode | undefined {
  const defs = definitions();
  const codes = defs.artifact.patientCompartment;
  if (!Object.hasOwn(codes, resourceType)) return undefined;
  const key = `compartment ${resourceType}`;
  let plan = defs.derived.get(key) as PlanNode | undefined;
  if (plan === undefined) {
    plan = planOf(defs, resourceType, codes[resourceType] ?? []);
    defs.derived.set(key, plan);
  }
  return plan;
}
