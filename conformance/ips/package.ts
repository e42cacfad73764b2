/** The StructureDefinitions and ValueSets of the guide's package, as its snapshots have them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tarMembers } from '../tar.ts';
import { type KnownSet, knownSet, type ValueSet } from './value-sets.ts';

export interface ElementDefinition {
  id: string;
  path: string;
  min: number;
  max: string;
  type?: { code: string; profile?: string[]; targetProfile?: string[] }[];
  mustSupport?: boolean;
  slicing?: { discriminator: { type: string; path: string }[]; rules: string };
  binding?: { strength: string; valueSet?: string };
  constraint?: { key: string; severity: string; expression?: string }[];
  [fixedOrPattern: string]: unknown;
}

export interface Profile {
  url: string;
  name: string;
  type: string;
  /** Whether it is of a resource. */
  isResource: boolean;
  /** Elements by id. */
  elements: Map<string, ElementDefinition>;
  /** Ids of the elements directly below one, without slices; and the slices of one. */
  children: Map<string, string[]>;
  slices: Map<string, string[]>;
}

export interface Guide {
  profiles: Map<string, Profile>;
  /** A value set as far as it is known here. */
  valueSet(url: string): Promise<KnownSet>;
}

const archive = 'ig-packages/ips_v110.tgz';

export function readGuide(cases: string): Guide {
  const profiles = new Map<string, Profile>();
  const valueSets = new Map<string, ValueSet>();
  for (const { path, bytes } of tarMembers(archive, readFileSync(join(cases, archive)))) {
    const kind = /^package\/(StructureDefinition|ValueSet)-[^/]+\.json$/.exec(path)?.[1];
    if (kind === undefined) continue;
    const read = JSON.parse(bytes.toString('utf8'));
    if (kind === 'ValueSet') valueSets.set(read.url, read);
    else profiles.set(read.url, profileOf(read));
  }
  return { profiles, valueSet: (url) => knownSet(url, valueSets) };
}

interface Definition {
  url: string;
  name: string;
  type: string;
  kind: string;
  snapshot: { element: ElementDefinition[] };
}

function profileOf({ url, name, type, kind, snapshot }: Definition): Profile {
  const elements = new Map(snapshot.element.map((one) => [one.id, one]));
  const children = new Map<string, string[]>();
  const slices = new Map<string, string[]>();
  for (const id of elements.keys()) {
    const [, sliced] = /^(.*):[^.:]+$/.exec(id) ?? [];
    if (sliced !== undefined && elements.has(sliced)) push(slices, sliced, id);
    else if (id.includes('.')) push(children, id.slice(0, id.lastIndexOf('.')), id);
  }
  return { url, name, type, isResource: kind === 'resource', elements, children, slices };
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
