/**
 * Checks a resource against R4's own StructureDefinitions (https://hl7.org/fhir/R4/validation.html: structure,
 * cardinality, values, required bindings of codes). Profiles, invariants in FHIRPath and terminologies are not here.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { Definitions } from '../definitions/definitions.ts';
import { definitions } from '../definitions/definitions.ts';
import { narrativeIssues } from '../narrative/narrative.ts';
import type { Issue, IssueCode } from '../outcome.ts';
import { isResourceType } from '../resource-types.ts';
import type { PropertyRule, TypeRules } from './type-rules.ts';
import { typeRules } from './type-rules.ts';

/** After this many findings the rest of a resource is not looked at. */
export const MAX_ISSUES = 100;

/**
 * The findings about a resource, in its own order; none when it is valid. Never throws: the value may be anything that
 * JSON can hold. Sentences name elements and codes of the specification, never a value of the resource.
 */
export function validate(resource: Resource): Issue[] {
  const run = new Validation(definitions());
  run.resource(resource);
  return run.issues;
}

type Fields = Record<string, unknown>;

const MAX_DEPTH = 64;

class Validation {
  readonly issues: Issue[] = [];
  private readonly defs: Definitions;
  private readonly steps: (string | number)[] = [];

  constructor(defs: Definitions) {
    this.defs = defs;
  }

  /** Any resource: the one handed in, a contained one, an entry of a Bundle. */
  resource(value: unknown): void {
    if (!isObject(value)) {
      this.add('structure', 'a resource has to be an object with a resourceType');
      return;
    }
    const { resourceType } = value;
    if (typeof resourceType !== 'string' || !isResourceType(resourceType)) {
      this.add('structure', 'resourceType has to be the name of an R4 resource type, such as "Patient"');
      return;
    }
    if (this.steps.length === 0) this.steps.push(resourceType);
    this.object(value, typeRules(this.defs, resourceType), true);
  }

  private object(fields: Fields, rules: TypeRules, isResource: boolean): void {
    let count = 0;
    let choices: string[] | undefined;
    for (const key in fields) {
      if (this.issues.length >= MAX_ISSUES) return;
      count++;
      const rule = rules.properties.get(key);
      if (rule === undefined) {
        if (isResource && key === 'resourceType') continue;
        this.beside(key, fields, rules);
        continue;
      }
      if (rule.choice !== undefined) {
        choices ??= [];
        if (choices.includes(rule.choice)) {
          this.addAt(rule.choice, 'structure', `only one form of ${rule.choice}[x] may be there`);
        }
        choices.push(rule.choice);
      }
      this.member(fields, fields[key], rule);
    }
    if (count === 0) this.add('structure', 'an element may not be empty: it has a value, children or extensions');
    for (const required of rules.required) {
      if (required.properties.some((name) => fields[name] !== undefined || fields[`_${name}`] !== undefined)) continue;
      const choice = required.name.endsWith('[x]') ? `, as one of ${listed(required.properties)}` : '';
      this.addAt(
        required.name.replace('[x]', ''),
        'required',
        `${required.name} is required in ${rules.type}${choice}`,
      );
    }
    if (rules.type === 'Extension') this.extension(fields);
  }

  private member(fields: Fields, value: unknown, rule: PropertyRule): void {
    this.steps.push(rule.step);
    if (!rule.isArray) {
      if (Array.isArray(value)) this.add('structure', `${rule.name} may be there once only: a value, not an array`);
      else this.value(value, rule);
    } else if (!Array.isArray(value)) {
      this.add('structure', `${rule.name} may repeat, so it has to be an array, with one item too`);
    } else {
      if (value.length === 0) this.add('structure', 'an array may not be empty; leave the property out');
      if (rule.max >= 0 && value.length > rule.max) {
        this.add('structure', `${rule.name} may have ${rule.max === 0 ? 'no items' : `${rule.max} items at most`}`);
      }
      const beside = fields[`_${rule.name}`];
      for (let i = 0; i < value.length; i++) {
        const item: unknown = value[i];
        if (item === null && rule.primitive !== undefined && Array.isArray(beside) && isObject(beside[i])) continue;
        this.steps.push(i);
        this.value(item, rule);
        this.steps.pop();
        if (this.issues.length >= MAX_ISSUES) break;
      }
    }
    this.steps.pop();
  }

  private value(value: unknown, rule: PropertyRule): void {
    const { primitive, codes, type } = rule;
    if (primitive !== undefined) {
      const right = primitive(value);
      if (right !== undefined) this.add('value', `the value is not of type ${type}; right is ${right}`);
      else if (type === 'xhtml') this.narrative(value as string);
      else if (codes?.has(value as string) === false) this.add('code-invalid', bindingText(rule));
    } else if (this.steps.length > MAX_DEPTH) {
      this.add('too-costly', `elements more than ${MAX_DEPTH} deep are refused`);
    } else if (type === 'Resource') {
      this.resource(value);
    } else if (isObject(value)) {
      rule.rules ??= typeRules(this.defs, type);
      this.object(value, rule.rules, false);
    } else {
      this.add('structure', `the value has to be an object of type ${type}`);
    }
  }

  private narrative(div: string): void {
    const expression = this.expression();
    for (const issue of narrativeIssues(div)) {
      if (this.issues.length < MAX_ISSUES) this.issues.push({ ...issue, expression });
    }
  }

  /** A property that is no element: the id and extensions of a primitive (`_birthDate`), or an unknown one. */
  private beside(key: string, fields: Fields, rules: TypeRules): void {
    const rule = key.startsWith('_') ? rules.properties.get(key.slice(1)) : undefined;
    if (rule?.primitive === undefined) {
      this.unknown(key, rules);
      return;
    }
    this.steps.push(rule.step);
    const value = fields[key];
    const elements = typeRules(this.defs, 'Element');
    if (rule.isArray !== Array.isArray(value)) {
      this.add('structure', `${key} has to be ${rule.isArray ? 'an array' : 'an object'}, as ${rule.name} is`);
    } else {
      const items: unknown[] = Array.isArray(value) ? value : [value];
      for (const item of items) {
        if (item === null && rule.isArray) continue;
        if (isObject(item)) this.object(item, elements, false);
        else this.add('structure', `${key} holds the id and extensions of ${rule.name}: an object`);
      }
    }
    this.steps.pop();
  }

  private unknown(key: string, rules: TypeRules): void {
    const name = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(key) ? key : 'a property';
    const forms = [...rules.properties.values()].filter((rule) => rule.choice === key).map((rule) => rule.name);
    const alike = [...rules.properties.keys()].find((known) => known.toLowerCase() === key.toLowerCase());
    let hint = 'it has to be left out or sent as an extension';
    if (forms.length > 0) hint = `write its type too: ${listed(forms)}`;
    else if (alike !== undefined) hint = `right is ${alike}`;
    this.addAt(name === key ? key : '', 'structure', `${name} is no element of ${rules.type} in R4; ${hint}`);
  }

  private extension(fields: Fields): void {
    let hasValue = false;
    for (const key in fields) if (key.startsWith('value') || key.startsWith('_value')) hasValue = true;
    if (hasValue === (fields.extension !== undefined)) {
      this.add('invariant', 'an extension has either a value or extensions of its own (ext-1)');
    }
  }

  private add(code: IssueCode, diagnostics: string): void {
    const expression = this.expression();
    const issue: Issue = { severity: 'error', code, diagnostics };
    if (expression !== '') issue.expression = expression;
    if (this.issues.length < MAX_ISSUES) this.issues.push(issue);
  }

  private expression(): string {
    let expression = '';
    for (const step of this.steps) {
      expression += typeof step === 'number' ? `[${step}]` : expression === '' ? step : `.${step}`;
    }
    return expression;
  }

  private addAt(step: string, code: IssueCode, diagnostics: string): void {
    if (step !== '') this.steps.push(step);
    this.add(code, diagnostics);
    if (step !== '') this.steps.pop();
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bindingText(rule: PropertyRule): string {
  const codes = rule.codes ?? new Set<string>();
  return `the code is not in the required value set ${rule.valueSet}; right is one of ${listed([...codes])}`;
}

/** The first dozen, and how many more. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
