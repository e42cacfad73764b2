/**
 * Search parameters beside R4's and US Core's: those that SearchParameter resources define
 * (https://hl7.org/fhir/R4/searchparameter.html). One set of them is in use in a process.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { SearchParameterDefinition } from '../definitions/artifact.ts';
import { definitions } from '../definitions/definitions.ts';
import { isResourceType, resourceTypes } from '../resource-types.ts';
import type { IndexValue, SearchParameterType } from './index-value.ts';
import { addParameter, builtInParameters, COLUMN_PARAMETERS, customParameters, PLAIN_RESOURCES } from './parameters.ts';
import { planNode, prunePlan, runPlan } from './plan.ts';

/** A custom parameter, as `useSearchParameters` takes it. */
export interface CustomParameter extends SearchParameterDefinition {
  /** Why a search by it is refused for the moment; undefined where it is not. */
  refusal?(): string | undefined;
}

/** Why a SearchParameter cannot be used, and the element that says so. */
export interface ParameterFault {
  reason: string;
  /** FHIRPath, e.g. `SearchParameter.expression`. */
  expression: string;
}

/** Uses these beside R4's and US Core's from now on, in place of those before. They never take the place of a built-in one. */
export function useSearchParameters(parameters: readonly CustomParameter[]): void {
  const defs = definitions();
  const types = new Set([...customParameters.list, ...parameters].flatMap(parameterTypes));
  for (const type of types) defs.derived.delete(`search ${type}`);
  customParameters.list = parameters;
  customParameters.version++;
}

/** Changes whenever the parameters in use do. */
export function searchParametersVersion(): number {
  return customParameters.version;
}

/** The resource types of a parameter; `Resource` and `DomainResource` mean all that are one. */
export function parameterTypes({ base }: Pick<SearchParameterDefinition, 'base'>): string[] {
  if (base.includes('Resource')) return [...resourceTypes()];
  const all = base.includes('DomainResource') ? resourceTypes().filter((type) => !PLAIN_RESOURCES.has(type)) : [];
  return [...new Set([...all, ...base.filter(isResourceType)])];
}

/** What one parameter alone finds in resources of a type. */
export function parameterExtractor(
  parameter: SearchParameterDefinition,
  resourceType: string,
): (resource: Resource) => IndexValue[] {
  const plan = planNode();
  addParameter(definitions(), plan, resourceType, parameter);
  prunePlan(plan);
  return (resource) => {
    const out: IndexValue[] = [];
    runPlan(plan, resource, out, { base: undefined, resource });
    return out;
  };
}

/**
 * The parameter that a SearchParameter resource defines, or why it cannot be used; undefined for one that is built in.
 * @param resource a SearchParameter of valid structure
 */
export function customParameter(resource: object): CustomParameter | ParameterFault | undefined {
  const { code = '', type = 'special', url = '', base = [], expression, target, component } = resource as Written;
  const defs = definitions();
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(code)) {
    return fault('code', 'A code is a letter and then letters, digits, - and _, 64 characters at most.');
  }
  if (type === 'special') return fault('type', 'A special parameter needs a server that was made for it.');
  const wrongBase = base.find((one) => !isResourceType(one) && one !== 'Resource' && one !== 'DomainResource');
  if (base.length === 0 || wrongBase !== undefined) {
    return fault('base', 'The base names resource types of R4, Resource or DomainResource.');
  }
  if (expression === undefined) return fault('expression', 'A parameter needs an expression that says where it looks.');
  const parameter: CustomParameter = {
    code,
    type,
    url,
    base: [...new Set(base)],
    expression,
    ...(target ? { target } : {}),
    ...(type === 'composite' ? { components: componentsOf(component) } : {}),
  };
  const types = parameterTypes(parameter);
  for (const resourceType of types) {
    const same = builtInParameters(defs, resourceType).find((one) => one.code === code);
    if (same && same.url === url) return undefined;
    if (same || COLUMN_PARAMETERS.has(code)) {
      return fault('code', `${resourceType} has a parameter ${code} already: ${same?.url ?? 'R4’s own'}.`);
    }
  }
  const long = [expression, ...(parameter.components ?? []).map((one) => one.expression)].find(isTooLong);
  if (long !== undefined) {
    return fault(
      'expression',
      `An expression has at most ${maximumLength} characters and ${maximumDepth} parentheses.`,
    );
  }
  if (type === 'composite') {
    const found = componentFault(parameter.components ?? []);
    if (found) return found;
  }
  for (const resourceType of types) {
    const added = addParameter(defs, planNode(), resourceType, parameter);
    if (typeof added === 'string') {
      return fault('expression', `The expression cannot be used for ${resourceType}: ${added}.`);
    }
  }
  return parameter;
}

interface Written {
  code?: string;
  type?: SearchParameterType;
  url?: string;
  base?: string[];
  expression?: string;
  target?: string[];
  component?: { definition?: string; expression?: string }[];
}

const maximumLength = 3_000;
const maximumDepth = 50;

function isTooLong(expression: string): boolean {
  return expression.length > maximumLength || expression.split('(').length > maximumDepth;
}

function componentsOf(component: Written['component'] = []): { url: string; expression: string }[] {
  return component.map(({ definition = '', expression = '' }) => ({ url: definition.split('|')[0]!, expression }));
}

function componentFault(components: { url: string }[]): ParameterFault | undefined {
  if (components.length !== 2) return fault('component', 'A composite parameter is used here with two components.');
  const unknown = components.findIndex(({ url }) => !definitions().parametersByUrl.has(url));
  if (unknown < 0) return undefined;
  return fault(
    `component[${unknown}].definition`,
    'A component’s definition is the canonical URL of a search parameter of R4 or US Core.',
  );
}

function fault(element: string, reason: string): ParameterFault {
  return { reason, expression: `SearchParameter.${element}` };
}
