/**
 * FHIR XML from FHIR JSON (https://hl7.org/fhir/R4/xml.html, https://hl7.org/fhir/R4/json.html). The text is walked, not
 * parsed into a value, so the digits of decimals are those of the text; elements stand in the definitions' order.
 */
import type { Definitions } from '../definitions/definitions.ts';
import { definitions } from '../definitions/definitions.ts';
import type { JsonLimits } from '../json/limits.ts';
import { DEFAULT_LIMITS } from '../json/limits.ts';
import { parseJson } from '../json/parse.ts';
import { JsonWalk } from '../json/walk.ts';
import { scanXhtml, XHTML } from '../narrative/scan.ts';
import type { FhirError, IssueCode } from '../outcome.ts';
import { fhirError } from '../outcome.ts';
import { isResourceType } from '../resource-types.ts';
import type { PropertyRule, TypeRules } from '../validation/type-rules.ts';
import { typeRules } from '../validation/type-rules.ts';

/**
 * Writes one resource as XML with its namespace, without an XML declaration and without white space between elements.
 * Refused, as a value with its place in the JSON text: what is not JSON of an R4 resource, elements that R4 does not
 * have, characters that XML 1.0 has no way to write, a narrative that is not well-formed. Never throws.
 */
export function xmlFromJson(text: string, limits: JsonLimits = DEFAULT_LIMITS): string | FhirError {
  if (text.length > limits.maxLength) {
    return fhirError(text, limits.maxLength, 'too-long', `the resource is longer than ${limits.maxLength} characters`);
  }
  try {
    JSON.parse(text);
  } catch {
    const strict = parseJson(text, limits);
    return 'error' in strict ? strict : fhirError(text, 0, 'invalid', 'the text is not strict JSON');
  }
  const writer = new Writer(text, limits.maxDepth);
  try {
    return writer.document();
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    return fhirError(text, problem.offset, problem.code, problem.message, writer.path());
  }
}

/** How the writer leaves its recursion; never seen outside of this file. */
class Refusal extends Error {
  readonly offset: number;
  readonly code: IssueCode;
  constructor(offset: number, code: IssueCode, message: string) {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/** What one element consists of: its attributes, each with a blank before it, and its child elements. */
interface Content {
  attributes: string;
  children: string;
}

const EMPTY: Content = { attributes: '', children: '' };

/** The parts of one property: values of a primitive as attribute text, or elements already written. */
interface Parts {
  rule: PropertyRule;
  values: (string | undefined)[];
  /** Ids and extensions of a primitive's values. */
  beside: (Content | undefined)[] | undefined;
  written: string;
  hasValue: boolean;
}

class Writer {
  private readonly defs: Definitions = definitions();
  private readonly walk: JsonWalk;
  private readonly maxDepth: number;
  private readonly steps: (string | number)[] = [];
  private depth = 0;

  constructor(text: string, maxDepth: number) {
    this.walk = new JsonWalk(text);
    this.maxDepth = maxDepth;
  }

  path(): string {
    let path = '';
    for (const step of this.steps) path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
    return path;
  }

  document(): string {
    const xml = this.resource(' xmlns="http://hl7.org/fhir"');
    if (!xml.isWellFormed()) this.refuse('value', 'half of a surrogate pair stands alone in this resource');
    return xml;
  }

  private resource(namespace: string): string {
    if (this.walk.first !== '{') this.refuse('structure', 'a resource is a JSON object with a resourceType');
    const type = this.resourceType();
    if (this.steps.length === 0) this.steps.push(type);
    const { attributes, children } = this.object(typeRules(this.defs, type), true);
    return element(type, namespace + attributes, children);
  }

  /** Looks ahead for the resourceType, which may stand anywhere in the object. */
  private resourceType(): string {
    const { walk } = this;
    const start = walk.at;
    let type: string | undefined;
    for (let key = walk.firstKey(); key !== undefined; key = walk.nextKey()) {
      if (key === 'resourceType' && walk.first === '"') {
        type = walk.string();
        break;
      }
      walk.pass();
    }
    walk.at = start;
    if (type === undefined || !isResourceType(type)) {
      this.refuse('structure', 'resourceType has to be the name of an R4 resource type, such as "Patient"');
    }
    return type;
  }

  private object(rules: TypeRules, isResource: boolean): Content {
    const { walk } = this;
    if (++this.depth > this.maxDepth) {
      this.refuse('too-costly', `more than ${this.maxDepth} objects inside one another`);
    }
    const parts: Parts[] = [];
    let isOrdered = true;
    let last = -1;
    for (let key = walk.firstKey(); key !== undefined; key = walk.nextKey()) {
      if (isResource && key === 'resourceType') {
        walk.pass();
        continue;
      }
      let rule = rules.properties.get(key);
      const isBeside = rule === undefined && key.startsWith('_');
      if (isBeside) rule = rules.properties.get(key.slice(1));
      if (rule === undefined || (isBeside && !hasBeside(rule))) this.unknown(key, rules);
      let part = rule.order > last ? undefined : parts.find((it) => it.rule === rule);
      if (part === undefined) {
        part = { rule, values: [], beside: undefined, written: '', hasValue: false };
        parts.push(part);
        if (rule.order < last) isOrdered = false;
        last = Math.max(last, rule.order);
      }
      this.steps.push(rule.name);
      if (isBeside) this.beside(part);
      else this.member(part);
      this.steps.pop();
    }
    this.depth--;
    if (!isOrdered) parts.sort((a, b) => a.rule.order - b.rule.order);
    return written(parts);
  }

  private member(part: Parts): void {
    const { walk } = this;
    const { rule } = part;
    if (part.hasValue) this.refuse('duplicate', 'the property appears twice in this object; each may appear once');
    part.hasValue = true;
    if (walk.first !== '[') {
      this.value(part);
      return;
    }
    if (!rule.isArray) {
      this.refuse('structure', `${rule.name} may be there once only: a value, not an array`);
    }
    for (let more = walk.firstItem(), i = 0; more; more = walk.nextItem(), i++) {
      this.steps.push(i);
      this.value(part);
      this.steps.pop();
    }
  }

  private value(part: Parts): void {
    const { walk } = this;
    const { rule } = part;
    const { first } = walk;
    if (first === 'n') {
      walk.pass();
      part.values.push(undefined);
    } else if (rule.json !== undefined) {
      if (first === '{' || first === '[') {
        this.refuse('structure', `the value has to be of the primitive type ${rule.type}, not an object or array`);
      }
      if (rule.type === 'xhtml') part.written += this.xhtml();
      else part.values.push(this.primitive());
    } else if (first !== '{') {
      this.refuse('structure', `the value has to be an object of type ${rule.type}`);
    } else if (rule.type === 'Resource') {
      part.written += element(rule.name, '', this.resource(''));
    } else {
      rule.rules ??= typeRules(this.defs, rule.type);
      const { attributes, children } = this.object(rule.rules, false);
      part.written += element(rule.name, attributes, children);
    }
  }

  /** A string, number or boolean as the text of an attribute; numbers with their digits. */
  private primitive(): string {
    const { walk } = this;
    if (walk.first !== '"') return walk.slice();
    const start = walk.at;
    const value = walk.string();
    if (!SPECIAL.test(value)) return value;
    const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    if (!CONTROL.test(escaped)) return escaped;
    if (FORBIDDEN.test(escaped)) {
      const message = 'the value has a control character, which XML cannot hold; the resource can be had as JSON only';
      throw new Refusal(start, 'not-supported', message);
    }
    return escaped.replaceAll('\t', '&#9;').replaceAll('\n', '&#10;').replaceAll('\r', '&#13;');
  }

  private xhtml(): string {
    const { walk } = this;
    const start = walk.at;
    const div = walk.first === '"' ? walk.string().trim() : '';
    const { malformed, namespace } = scanXhtml(div);
    if (malformed !== undefined) {
      throw new Refusal(
        start,
        'not-supported',
        'the narrative is not one well-formed XHTML div; the resource can be had as JSON only',
      );
    }
    return namespace === undefined ? `<div xmlns="${XHTML}"${div.slice('<div'.length)}` : div;
  }

  /** `_name`: the id and extensions of one primitive, or of each in an array. */
  private beside(part: Parts): void {
    const { walk } = this;
    if (part.beside !== undefined) {
      this.refuse('duplicate', 'the property appears twice in this object; each may appear once');
    }
    part.beside = [];
    if (walk.first !== '[') {
      part.beside.push(this.besideValue(part.rule));
      return;
    }
    if (!part.rule.isArray) this.refuse('structure', `_${part.rule.name} has to be an object, not an array`);
    for (let more = walk.firstItem(); more; more = walk.nextItem()) part.beside.push(this.besideValue(part.rule));
  }

  private besideValue(rule: PropertyRule): Content | undefined {
    const { walk } = this;
    if (walk.first === 'n') {
      walk.pass();
      return undefined;
    }
    if (walk.first !== '{') this.refuse('structure', `_${rule.name} holds the id and extensions of ${rule.name}`);
    return this.object(typeRules(this.defs, 'Element'), false);
  }

  private unknown(key: string, rules: TypeRules): never {
    const name = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(key) ? key : 'a property';
    this.refuse('structure', `${name} is no element of ${rules.type} in R4`);
  }

  private refuse(code: IssueCode, message: string): never {
    throw new Refusal(this.walk.at, code, message);
  }
}

/** Whether a property may have `_name` beside it: attributes of XML and narratives have no extensions. */
function hasBeside(rule: PropertyRule): boolean {
  return rule.json !== undefined && !rule.isAttribute && rule.type !== 'xhtml';
}

function written(parts: readonly Parts[]): Content {
  let attributes = '';
  let children = '';
  for (const { rule, values, beside, written } of parts) {
    const { name } = rule;
    if (rule.json === undefined) {
      children += written;
      continue;
    }
    if (rule.isAttribute) {
      if (values[0] !== undefined) attributes += ` ${name}="${values[0]}"`;
      continue;
    }
    children += written;
    const count = Math.max(values.length, beside?.length ?? 0);
    for (let i = 0; i < count; i++) {
      const value = values[i];
      const { attributes: id, children: extensions } = beside?.[i] ?? EMPTY;
      if (value === undefined && id === '' && extensions === '') continue;
      children += element(name, value === undefined ? id : `${id} value="${value}"`, extensions);
    }
  }
  return { attributes, children };
}

function element(name: string, attributes: string, children: string): string {
  return children === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${children}</${name}>`;
}

const SPECIAL = /[&<"\u0000-\u001f\ufffe\uffff]/;
const CONTROL = /[\u0000-\u001f\ufffe\uffff]/;
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
