/**
 * A resource in the making: its identity, its content, and how two statements of one fact become one.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { Fact } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import { assign, compileFhirPath, type Json, resolveSteps, writeSteps } from './fhir-path.ts';

export class Draft {
  readonly type: string;
  readonly resource: Json;
  readonly mode: Fact['mode'];
  asOf: string;
  id: string;
  key: string;
  private readonly source: string;
  /** Where the lists of this draft went when it was merged into another: `telecom[0]` → `telecom[2]`. */
  private moved = new Map<string, string>();

  constructor(source: string, type: string, identity: readonly string[], asOf: string, mode: Fact['mode']) {
    this.source = source;
    this.type = type;
    this.mode = mode;
    this.asOf = asOf;
    this.id = factId(source, type, ...identity);
    this.key = [type, ...identity].join('|');
    this.resource = { resourceType: type, id: this.id };
  }

  get reference(): string {
    return `${this.type}/${this.id}`;
  }

  /** `Patient/<id>#name[0].family` */
  target(path: string): string {
    const dot = path.indexOf('.');
    const head = dot === -1 ? path : path.slice(0, dot);
    const place = this.moved.get(head);
    const moved = place === undefined ? path : place + (dot === -1 ? '' : path.slice(dot));
    return moved === '' ? this.reference : `${this.reference}#${moved}`;
  }

  /** Says that what was put at one place lies at another. */
  move(from: string, to: string): void {
    this.moved.set(from, to);
  }

  /** Gives the draft another identity. */
  identify(identity: readonly string[]): void {
    this.id = factId(this.source, this.type, ...identity);
    this.key = [this.type, ...identity].join('|');
    this.resource.id = this.id;
  }

  /** Puts a value at a table's path and says where it came to lie. */
  put(path: string, value: unknown): string {
    const steps = resolveSteps(this.resource, compileFhirPath(path));
    assign(this.resource, steps, value);
    return writeSteps(steps);
  }

  /**
   * Takes up what another draft says of the same fact: lists are united, absent elements filled in.
   * @returns false, with nothing changed, when the two contradict each other
   */
  absorb(other: Draft): boolean {
    for (const [name, value] of Object.entries(other.resource)) {
      if (name === 'id' || name === 'text' || Array.isArray(value)) continue;
      const mine = this.resource[name];
      if (mine !== undefined && !same(mine, value)) return false;
    }
    for (const [name, value] of Object.entries(other.resource)) {
      if (name === 'id') continue;
      if (name === 'text') this.uniteText(value as Json);
      else if (Array.isArray(value)) this.unite(name, value, other);
      else if (this.resource[name] === undefined) this.resource[name] = value;
    }
    other.id = this.id;
    return true;
  }

  fact(): Fact {
    return { resource: this.resource as unknown as Resource, key: this.key, asOf: this.asOf, mode: this.mode };
  }

  /** Two narratives of one fact stand one after the other. */
  private uniteText(other: Json): void {
    const mine = this.resource.text as Json | undefined;
    if (mine === undefined) this.resource.text = other;
    else if (!String(mine.div).includes(innerOf(other))) {
      mine.div = String(mine.div).replace(/<\/div>$/, `<br/>${innerOf(other)}</div>`);
    }
  }

  private unite(name: string, values: unknown[], other: Draft): void {
    const mine = (this.resource[name] as unknown[] | undefined) ?? [];
    this.resource[name] = mine;
    values.forEach((value, index) => {
      let place = mine.findIndex((known) => same(known, value));
      if (place === -1) place = mine.push(value) - 1;
      if (place !== index) other.moved.set(`${name}[${index}]`, `${name}[${place}]`);
    });
  }
}

function innerOf(narrative: Json): string {
  return String(narrative.div).replace(/^<div[^>]*>|<\/div>$/g, '');
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
