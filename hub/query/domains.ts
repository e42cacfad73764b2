/**
 * Patient identifier domains: which systems of the record an assigning authority (HD) of a query stands for, and how an
 * identifier's system is told to the asker. Known are the domains that participants are registered with.
 */
import type { LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { encodePart, universalOf, universalSystem } from '@causeway/mapping';
import type { Identifier } from '@medplum/fhirtypes';
import type { Participant } from '../trust/index.ts';

/** An assigning authority (HD): name, universal id, type of that, by their number; empty where not given. */
export interface Authority {
  sub(n: number): string;
}

/** The identifiers of one authority. */
export interface Domain {
  /** PID-3.4.1 as its owner writes it. */
  name: string | undefined;
  /** The systems that identifiers of it have in the record, the one it is told by first. */
  systems: string[];
}

/** US social security numbers. */
export const socialSecurity: Domain = { name: 'USSSA', systems: ['http://hl7.org/fhir/sid/us-ssn'] };

export class Domains {
  /** The asker's own come first. */
  readonly #known: { owner: string; domain: Domain }[];
  readonly #asker: string;

  constructor(participants: readonly Participant[], asker: string) {
    this.#asker = asker;
    const known = participants.flatMap((one) => domainsOf(one).map((domain) => ({ owner: one.key, domain })));
    const isOthers = (owner: string) => Number(owner !== asker);
    this.#known = [
      ...known.sort((a, b) => isOthers(a.owner) - isOthers(b.owner)),
      { owner: '', domain: socialSecurity },
    ];
  }

  /**
   * The domain that an assigning authority names: by universal id, or by the asker's own name for it, or by another's name
   * that only one domain has.
   */
  find(authority: Authority): Domain | undefined {
    const [name, universal, type] = [authority.sub(1), authority.sub(2), authority.sub(3)];
    if (universal !== '') {
      const system = universalSystem(universal, type || undefined);
      const found = this.#known.find(({ domain }) => domain.systems.includes(system))?.domain;
      if (found) return found;
    }
    if (name === '') return undefined;
    const named = this.#known.filter(({ domain }) => domain.name === name);
    const own = named.find(({ owner }) => owner === this.#asker)?.domain;
    if (own) return own;
    const isOne = new Set(named.map(({ domain }) => domain.systems[0])).size === 1;
    return isOne && universal === '' ? named[0]!.domain : undefined;
  }

  /** The domain one of whose systems this is; undefined where no participant is registered with it. */
  bySystem(system: string): Domain | undefined {
    return this.#known.find(({ domain }) => domain.systems.includes(system))?.domain;
  }

  /** The asker's own record numbers. */
  own(): Domain | undefined {
    return this.#known.find(({ owner }) => owner === this.#asker)?.domain;
  }

  /** What an authority that is in no registration would be in messages of the asker. */
  unregistered(authority: Authority): Domain | undefined {
    const [name, universal, type] = [authority.sub(1), authority.sub(2), authority.sub(3)];
    if (universal !== '') return { name, systems: [universalSystem(universal, type || undefined)] };
    return name === '' ? undefined : { name, systems: [localSystem(this.#asker, name)] };
  }

  /** An identifier as CX with its authority whole: name, universal id and type, as far as it has them. */
  extended(identifier: Identifier): RepetitionValue {
    const { name, universal } = this.#authority(identifier);
    const type = identifier.type?.coding?.find(({ code }) => code)?.code;
    return [identifier.value, '', '', [name, ...universal], type];
  }

  /** The identifier with the name of its authority as the asker, or its owner, calls it. */
  named(identifier: Identifier): Identifier {
    const { name } = this.#authority(identifier);
    return name === undefined ? identifier : { ...identifier, assigner: { ...identifier.assigner, display: name } };
  }

  #authority({ system, assigner }: Identifier): { name: string | undefined; universal: LeafValue[] } {
    const domain = this.#known.find((one) => system !== undefined && one.domain.systems.includes(system))?.domain;
    const name = domain?.name ?? assigner?.display;
    const told = domain?.systems[0] ?? system;
    return { name, universal: told?.startsWith('urn:causeway:authority:') ? [] : universalOf(told) };
  }
}

/** Whether an identifier belongs to one of the domains. */
export function isOf(identifier: Identifier, domains: readonly Domain[]): boolean {
  return domains.some(({ systems }) => identifier.system !== undefined && systems.includes(identifier.system));
}

function domainsOf(participant: Participant): Domain[] {
  const { key, identifierSystem, identifierAuthority: name, settings } = participant;
  const { [name ?? '']: told, ...others } = settings.identifierSystems ?? {};
  const systems = [
    identifierSystem,
    told,
    name === undefined ? undefined : localSystem(key, name),
    settings.oid === undefined ? undefined : `urn:oid:${settings.oid}`,
  ].filter((system) => system !== undefined);
  const own = identifierSystem === undefined && name === undefined ? [] : [{ name, systems: [...new Set(systems)] }];
  return [...own, ...Object.entries(others).map(([other, system]) => ({ name: other, systems: [system] }))];
}

/** The system of a name that the sender's settings do not know, as conversions write it. */
function localSystem(sender: string, name: string): string {
  return `urn:causeway:authority:${sender}:${encodePart(name)}`;
}
