/**
 * A resource in the making: its identity, its content, and how two statements of one fact become one.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { Fact } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import { assign, compileFhirPath, type Json, resolveSteps, writeSteps } from './fhir-path.ts';
import type { StoredTexts, TextPlace } from './stored-texts.ts';
import { CONTRADICTION, SaidItems, unify } from './unify.ts';

/** Where the resources of a large document wait. */
export interface Shelf {
  texts: StoredTexts;
  /** Told when a resource is at work again. */
  onWake(draft: Draft): void;
}

export class Draft {
  readonly type: string;
  readonly mode: Fact['mode'];
  asOf: string;
  /** Elements that stand only because FHIR requires them: see `Fact.defaults`. */
  defaults?: string[];
  id: string;
  key: string;
  private readonly source: string;
  /** Where the lists of this draft went when it was merged into another: `telecom[0]` → `telecom[2]`. */
  private moved: Map<string, string> | undefined;
  private live: Json | undefined;
  /** Where the resource's text is while it is not at work. */
  private stored: TextPlace | undefined;
  private readonly shelf: Shelf | undefined;

  constructor(
    source: string,
    type: string,
    identity: readonly string[],
    asOf: string,
    mode: Fact['mode'],
    shelf?: Shelf,
  ) {
    this.source = source;
    this.type = type;
    this.mode = mode;
    this.asOf = asOf;
    this.id = factId(source, type, ...identity);
    this.key = [type, ...identity].join('|');
    this.live = { resourceType: type, id: this.id };
    this.shelf = shelf;
  }

  get resource(): Json {
    return this.live ?? this.wake();
  }

  /** Keeps the resource as text until it is at work again: a fraction of the memory. */
  store(): void {
    if (this.live === undefined || this.shelf === undefined) return;
    this.stored = this.shelf.texts.put(JSON.stringify(this.live));
    this.live = undefined;
  }

  /** Whether the resource may hold a text; one that is at work may. */
  mayHold(text: string): boolean {
    return this.stored === undefined || this.shelf!.texts.get(this.stored).includes(text);
  }

  /** Gives the resource up. */
  release(): void {
    if (this.stored !== undefined) this.shelf!.texts.drop(this.stored);
    this.live = undefined;
    this.stored = undefined;
  }

  private wake(): Json {
    if (this.stored === undefined) throw new Error(`${this.key} was released`);
    const { texts, onWake } = this.shelf!;
    const live: Json = JSON.parse(texts.get(this.stored));
    texts.drop(this.stored);
    this.live = live;
    this.stored = undefined;
    onWake(this);
    return live;
  }

  get reference(): string {
    return `${this.type}/${this.id}`;
  }

  /** `Patient/<id>#name[0].family` */
  target(path: string): string {
    const dot = path.indexOf('.');
    const head = dot === -1 ? path : path.slice(0, dot);
    const place = this.moved?.get(head);
    const moved = place === undefined ? path : place + (dot === -1 ? '' : path.slice(dot));
    return moved === '' ? this.reference : `${this.reference}#${moved}`;
  }

  /** Says that what was put at one place lies at another. */
  move(from: string, to: string): void {
    this.moved ??= new Map();
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
   * Takes up what another draft says of the same fact: lists are united, absent and unknown elements filled in.
   * @returns false, with nothing changed, when the two contradict each other
   */
  absorb(other: Draft): boolean {
    const merged: Json = {};
    for (const [name, value] of Object.entries(other.resource)) {
      if (name === 'id' || name === 'text' || Array.isArray(value)) continue;
      if (isOtherChoice(this.resource, name)) return false;
      merged[name] = unify(this.resource[name], value);
      if (merged[name] === CONTRADICTION) return false;
    }
    this.takeUp(other, merged);
    return true;
  }

  /**
   * Takes up what another draft says of the same fact where the two agree; what this one says already stands.
   * @returns the elements of which they say different things
   */
  adopt(other: Draft): string[] {
    const merged: Json = {};
    const contradicted: string[] = [];
    for (const [name, value] of Object.entries(other.resource)) {
      if (name === 'id' || name === 'text' || Array.isArray(value)) continue;
      const both = isOtherChoice(this.resource, name) ? CONTRADICTION : unify(this.resource[name], value);
      if (both === CONTRADICTION) contradicted.push(name);
      else merged[name] = both;
    }
    this.takeUp(other, merged);
    return contradicted;
  }

  private takeUp(other: Draft, merged: Json): void {
    Object.assign(this.resource, merged);
    for (const [name, value] of Object.entries(other.resource)) {
      if (name === 'text') this.uniteText(value as Json);
      else if (Array.isArray(value)) this.unite(name, value, other);
    }
    other.id = this.id;
  }

  fact(): Fact {
    const resource = this.resource as unknown as Resource;
    const fact: Fact = { resource, key: this.key, asOf: this.asOf, mode: this.mode };
    return this.defaults === undefined ? fact : { ...fact, defaults: this.defaults };
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
    const said = new SaidItems(mine);
    values.forEach((value, index) => {
      let place = said.find(value);
      if (place === -1) place = said.add(value);
      if (place !== index) other.move(`${name}[${index}]`, `${name}[${place}]`);
    });
  }
}

function innerOf(narrative: Json): string {
  return String(narrative.div).replace(/^<div[^>]*>|<\/div>$/g, '');
}

const CHOICE = /^(onset|abatement|performed|effective|occurrence|value|deceased|timing|medication)[A-Z]/;

/** Whether the resource has the element in another type already: onsetDateTime beside onsetAge. */
function isOtherChoice(resource: Json, name: string): boolean {
  const stem = CHOICE.exec(name)?.[1];
  if (stem === undefined || resource[name] !== undefined) return false;
  return Object.keys(resource).some((key) => key.startsWith(stem) && CHOICE.exec(key)?.[1] === stem);
}
