/**
 * FHIR JSON from FHIR XML (https://hl7.org/fhir/R4/xml.html, https://hl7.org/fhir/R4/json.html). What repeats, what is
 * a number and what a resource comes from the definitions. There is no DTD, no entity beyond XML's own five, no fetching.
 */
import { SaxesParser } from 'saxes';
import type { Definitions } from '../definitions/definitions.ts';
import { definitions } from '../definitions/definitions.ts';
import { XHTML } from '../narrative/scan.ts';
import type { FhirError, IssueCode } from '../outcome.ts';
import { fhirError } from '../outcome.ts';
import { isResourceType } from '../resource-types.ts';
import type { PropertyRule, TypeRules } from '../validation/type-rules.ts';
import { typeRules } from '../validation/type-rules.ts';
import { localName, NOTHING_DECLARED, namespaceOf, type Scope, scopeOf } from './namespaces.ts';
import { RewrittenNarrative } from './rewritten.ts';

/** What an XML text may not exceed. */
export interface XmlLimits {
  /** UTF-16 code units of the whole text. */
  maxLength: number;
  /** Elements inside one another, those of narratives included. */
  maxDepth: number;
  maxElements: number;
}

/** 64 Mi characters, 128 levels, 2 million elements. */
export const XML_LIMITS: XmlLimits = { maxLength: 64 * 1024 * 1024, maxDepth: 128, maxElements: 2_000_000 };

/**
 * Reads the XML text of one resource into JSON without white space: properties in the order of the elements, digits of
 * numbers as written, ids and extensions of primitives as `_name`, narratives as strings. It is not validated beyond
 * what the change of form needs. Anything wrong is a value with its line and column in the XML; never throws.
 */
export function jsonFromXml(text: string, limits: Partial<XmlLimits> = {}): string | FhirError {
  const bound = { ...XML_LIMITS, ...limits };
  if (text.length > bound.maxLength) {
    return fhirError(text, bound.maxLength, 'too-long', `the resource is longer than ${bound.maxLength} characters`);
  }
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const parser = new SaxesParser({ position: true });
  const reader = new Reader(source, bound, () => parser.position);
  // Few handlers: each beyond these turns saxes' parser object into a slow one.
  if (source.includes('<!DOCTYPE')) {
    parser.on('doctype', () => reader.refuse('structure', 'a DOCTYPE is not accepted in FHIR XML; remove it'));
  }
  parser.on('opentag', ({ name, attributes }) => reader.open(name, attributes as Record<string, string>));
  parser.on('text', (characters) => reader.characters(characters));
  parser.on('cdata', (characters) => reader.characters(characters));
  parser.on('closetag', () => reader.close());
  try {
    parser.write(source).close();
  } catch (problem) {
    if (problem instanceof Refusal)
      return fhirError(source, problem.offset, problem.code, problem.message, reader.path());
    if (!(problem instanceof Error)) throw problem;
    return fhirError(source, parser.position, 'invalid', notWellFormed(problem), reader.path());
  }
  return reader.json ?? fhirError(source, 0, 'structure', 'the document has no element');
}

/** How the reader leaves the parser; never seen outside of this file. */
class Refusal extends Error {
  readonly offset: number;
  readonly code: IssueCode;
  constructor(offset: number, code: IssueCode, message: string) {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/** saxes' own words, unless they might quote the document. */
function notWellFormed(problem: Error): string {
  const reason = problem.message.replace(/^\d+:\d+: /, '');
  if (/entity/.test(reason)) return 'only &amp; &lt; &gt; &quot; &apos; and character references are accepted';
  const said = /^[a-z' ,<>&;-]+\.?$/i.test(reason) ? reason : 'see this place';
  return `the XML is not well-formed: ${said}`;
}

/** One open element. */
interface Frame {
  name: string;
  scope: Scope;
  /** The property of the parent that this is; undefined for a resource. */
  rule: PropertyRule | undefined;
  /** The children allowed: those of the type, of Element for a primitive; undefined for the holder of a resource. */
  rules: TypeRules | undefined;
  /** The JSON of a primitive's value, or of the resource that a holder holds. */
  value: string | undefined;
  /** Members already written: `"resourceType":"Patient"`, `"id":"a"`, `"url":"…"`. */
  head: string;
  slots: Slot[];
}

/** What came for one property. */
interface Slot {
  rule: PropertyRule;
  count: number;
  /** JSON values with commas between. */
  values: string;
  hasValue: boolean;
  /** The same for ids and extensions of primitives, `null` where there are none; undefined when there were none at all. */
  beside: string | undefined;
}

class Reader {
  /** The resource, once its end tag was read. */
  json: string | undefined;
  private readonly defs: Definitions = definitions();
  private readonly source: string;
  private readonly bound: XmlLimits;
  private readonly position: () => number;
  private readonly frames: Frame[] = [];
  private narrative: Narrative | undefined;
  private elements = 0;
  private readonly ofElement: TypeRules;
  /** Whether any prefix is declared; the usual document has none. */
  private readonly hasPrefixes: boolean;

  constructor(source: string, bound: XmlLimits, position: () => number) {
    this.source = source;
    this.bound = bound;
    this.position = position;
    this.ofElement = typeRules(this.defs, 'Element');
    this.hasPrefixes = source.includes('xmlns:');
  }

  /** Where the reader is: `Patient.name[0].given[1]`. */
  path(): string {
    let path = '';
    for (const [depth, { name, rule }] of this.frames.entries()) {
      if (rule === undefined && depth > 0) continue;
      path = path === '' ? name : `${path}.${name}`;
      if (rule?.isArray) path += `[${slotOf(this.frames[depth - 1]!, rule)?.count ?? 0}]`;
    }
    return path;
  }

  refuse(code: IssueCode, message: string): never {
    throw new Refusal(this.tagStart(), code, message);
  }

  open(tag: string, attributes: Record<string, string>): void {
    if (++this.elements > this.bound.maxElements) {
      this.refuse('too-costly', `the document has more than ${this.bound.maxElements} elements`);
    }
    const inside = this.narrative?.depth ?? 0;
    if (this.frames.length + inside >= this.bound.maxDepth) {
      this.refuse('too-costly', `elements are nested deeper than ${this.bound.maxDepth}`);
    }
    if (this.narrative !== undefined) {
      this.narrative.depth++;
      this.narrative.rewritten?.open(tag, attributes);
      return;
    }
    const parent = this.frames.at(-1);
    const outer = parent?.scope ?? NOTHING_DECLARED;
    const scope = this.hasPrefixes || attributes.xmlns !== undefined ? scopeOf(attributes, outer) : outer;
    const uri = this.hasPrefixes ? namespaceOf(tag, scope) : scope.uri;
    const local = this.hasPrefixes ? localName(tag) : tag;
    const rule = parent?.rules === undefined ? undefined : this.ruleOf(local, parent, parent.rules);
    if (rule?.type === 'xhtml') {
      if (uri !== XHTML) this.refuse('structure', `the narrative has to be in the namespace ${XHTML}`);
      const stands = local === tag && attributes.xmlns !== undefined;
      const rewritten = stands ? undefined : new RewrittenNarrative(outer);
      rewritten?.open(tag, attributes);
      this.narrative = { rule, start: this.tagStart(), depth: 1, rewritten };
      return;
    }
    if (uri !== FHIR) this.refuse('structure', `the element has to be in the namespace ${FHIR}`);
    const rules = rule === undefined ? this.rulesOfResource(local, parent) : this.childrenOf(rule);
    const head = rule === undefined ? `"resourceType":"${local}"` : '';
    const frame: Frame = { name: local, scope, rule, rules, value: undefined, head, slots: [] };
    this.frames.push(frame);
    this.attributes(attributes, frame);
  }

  characters(text: string): void {
    if (this.narrative !== undefined) this.narrative.rewritten?.characters(text);
    else if (/\S/.test(text) && this.frames.length > 0) {
      throw new Refusal(
        this.position(),
        'structure',
        'text between elements is not allowed in FHIR XML; a value stands in the attribute "value"',
      );
    }
  }

  close(): void {
    if (this.narrative !== undefined) {
      this.narrative.rewritten?.close();
      if (--this.narrative.depth > 0) return;
      this.closeNarrative(this.narrative);
      return;
    }
    const frame = this.frames.at(-1)!;
    if (frame.rules === undefined && frame.value === undefined) {
      this.refuse('structure', `${frame.name} has to hold a resource`);
    }
    this.frames.pop();
    const parent = this.frames.at(-1);
    const { rule } = frame;
    if (parent === undefined) this.json = objectText(frame);
    else if (rule === undefined) parent.value = objectText(frame);
    else if (rule.json === undefined) add(parent, rule, frame.value ?? objectText(frame), undefined);
    else {
      const beside = frame.head === '' && frame.slots.length === 0 ? undefined : objectText(frame);
      if (frame.value === undefined && beside === undefined) {
        this.frames.push(frame);
        this.refuse('value', `${frame.name} has neither a value nor an extension; leave it out or give it one`);
      }
      add(parent, rule, frame.value, beside);
    }
  }

  private rulesOfResource(local: string, holder: Frame | undefined): TypeRules {
    if (!isResourceType(local)) {
      this.refuse('structure', 'the element has to be named as an R4 resource type, such as "Patient"');
    }
    if (holder?.value !== undefined) this.refuse('structure', `${holder.name} holds one resource only`);
    return typeRules(this.defs, local);
  }

  private ruleOf(local: string, parent: Frame, rules: TypeRules): PropertyRule {
    const rule = rules.properties.get(local);
    if (rule === undefined || rule.isAttribute) this.unknown(local, rules);
    if (!rule.isArray && slotOf(parent, rule) !== undefined) {
      this.refuse('structure', `${nameOf(local)} may be there once only`);
    }
    return rule;
  }

  /** Undefined for the holder of a resource, which may be of any type. */
  private childrenOf(rule: PropertyRule): TypeRules | undefined {
    if (rule.type === 'Resource') return undefined;
    if (rule.json !== undefined) return this.ofElement;
    rule.rules ??= typeRules(this.defs, rule.type);
    return rule.rules;
  }

  /** `value` of a primitive, `id` of any element, `url` of an Extension; nothing else but what XML itself needs. */
  private attributes(attributes: Record<string, string>, frame: Frame): void {
    const { rule } = frame;
    for (const key in attributes) {
      const value = attributes[key]!;
      if (key === 'value' && rule?.json !== undefined) frame.value = this.primitive(value, rule);
      else if (rule !== undefined && frame.rules?.properties.get(key)?.isAttribute === true) {
        frame.head += `${frame.head === '' ? '' : ','}"${key}":${quoted(value)}`;
      } else if (key !== 'xmlns' && !key.startsWith('xmlns:') && !this.isOfSchema(key, frame)) {
        this.refuse('structure', `${nameOf(frame.name)} has no attribute ${nameOf(key)} in FHIR XML`);
      }
    }
  }

  /** `xsi:schemaLocation` and its like say nothing about the resource. */
  private isOfSchema(key: string, { scope }: Frame): boolean {
    return key.includes(':') && namespaceOf(key, scope) === XSI;
  }

  private primitive(value: string, rule: PropertyRule): string {
    if (rule.json === 'string') return quoted(value);
    const plain = value.trim();
    if (rule.json === 'boolean') {
      if (plain !== 'true' && plain !== 'false') this.refuse('value', `${rule.name} has to be true or false`);
    } else if (!NUMBER.test(plain)) {
      this.refuse('value', `${rule.name} has to be a number such as 12 or 0.50, of type ${rule.type}`);
    }
    return plain;
  }

  private closeNarrative(narrative: Narrative): void {
    const { rule, start, rewritten } = narrative;
    this.narrative = undefined;
    const div = rewritten?.text ?? this.source.slice(start, this.position());
    add(this.frames.at(-1)!, rule, JSON.stringify(div), undefined);
  }

  private unknown(local: string, rules: TypeRules): never {
    const forms = [...rules.properties.values()].filter((rule) => rule.choice === local).map((rule) => rule.name);
    const alike = [...rules.properties.keys()].find((known) => known.toLowerCase() === local.toLowerCase());
    let hint = '';
    if (rules.properties.get(local)?.isAttribute === true) hint = '; write it as an attribute';
    else if (forms.length > 0) hint = `; write its type too: ${forms.slice(0, 12).join(', ')}`;
    else if (alike !== undefined) hint = `; right is ${alike}`;
    this.refuse('structure', `${nameOf(local)} is no element of ${rules.type} in R4${hint}`);
  }

  /** No attribute value may hold a `<`: the last one before here opened this tag. */
  private tagStart(): number {
    return Math.max(0, this.source.lastIndexOf('<', this.position() - 1));
  }
}

const FHIR = 'http://hl7.org/fhir';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** A narrative whose end tag was not read yet. */
interface Narrative {
  rule: PropertyRule;
  start: number;
  depth: number;
  /** Set when the source's own characters do not stand alone, since its namespace is declared outside. */
  rewritten: RewrittenNarrative | undefined;
}

function slotOf(frame: Frame, rule: PropertyRule): Slot | undefined {
  const last = frame.slots.at(-1);
  return last?.rule === rule ? last : frame.slots.find((slot) => slot.rule === rule);
}

/** Adds a value, or the id and extensions of a primitive without value, to a property. */
function add(frame: Frame, rule: PropertyRule, value: string | undefined, beside: string | undefined): void {
  let slot = slotOf(frame, rule);
  if (slot === undefined) {
    slot = { rule, count: 0, values: '', hasValue: false, beside: undefined };
    frame.slots.push(slot);
  }
  const comma = slot.count === 0 ? '' : ',';
  slot.values += comma + (value ?? 'null');
  if (value !== undefined) slot.hasValue = true;
  if (slot.beside !== undefined) slot.beside += comma + (beside ?? 'null');
  else if (beside !== undefined) slot.beside = 'null,'.repeat(slot.count) + beside;
  slot.count++;
}

function objectText(frame: Frame): string {
  let members = frame.head;
  for (const { rule, values, hasValue, beside } of frame.slots) {
    const { name, isArray } = rule;
    if (hasValue) {
      if (members !== '') members += ',';
      members += isArray ? `"${name}":[${values}]` : `"${name}":${values}`;
    }
    if (beside !== undefined) {
      if (members !== '') members += ',';
      members += isArray ? `"_${name}":[${beside}]` : `"_${name}":${beside}`;
    }
  }
  return `{${members}}`;
}

/** A string in JSON; most need no escape, which a glance tells sooner than the engine does. */
function quoted(value: string): string {
  return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`;
}

const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;

/** A name that may be told in an error. */
function nameOf(name: string): string {
  return /^[A-Za-z][\w.:-]{0,63}$/.test(name) ? name : 'this';
}
