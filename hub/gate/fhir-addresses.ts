/**
 * The FHIR addresses this server answers, noted as they are registered: for `Allow` (FHIR R4 §3.1.0.1, HTTP Status Codes), for the
 * sentence that says what is wrong with an address, and for the CapabilityStatement.
 */
import { isResourceType } from '@causeway/fhir';
import { RecordError } from '../record/index.ts';

/** An operation, with the type it is for; undefined for those of the whole system or of every type. */
export interface RegisteredOperation {
  name: string;
  level: 'system' | 'type' | 'instance';
  type: string | undefined;
}

interface Address {
  segments: string[];
  methods: Set<string>;
}

export class FhirAddresses {
  readonly #addresses: Address[] = [];

  /** Notes a route, `/fhir/:type/:id` for instance; what is not below `/fhir` is passed over. */
  add(methods: string | readonly string[], url: string): void {
    if (!/^\/fhir(?:\/|$)/.test(url)) return;
    const segments = segmentsOf(url);
    const same = ({ segments: other }: Address) => other.join('/') === segments.join('/');
    let address = this.#addresses.find(same);
    if (!address) {
      address = { segments, methods: new Set() };
      this.#addresses.push(address);
    }
    for (const method of [methods].flat()) address.methods.add(method);
  }

  /** The methods that an address takes, in a fixed order; none where there is nothing. */
  methodsOf(path: string): string[] {
    const segments = segmentsOf(path);
    const methods = new Set(this.#addresses.filter((one) => fits(one, segments)).flatMap((one) => [...one.methods]));
    return order.filter((method) => methods.has(method));
  }

  /** Whether anything takes a method at an address of this pattern. */
  has(method: string, url: string): boolean {
    const path = segmentsOf(url).join('/');
    return this.#addresses.some(({ segments, methods }) => segments.join('/') === path && methods.has(method));
  }

  /** The operations that are registered. */
  operations(): RegisteredOperation[] {
    const found: RegisteredOperation[] = [];
    for (const { segments } of this.#addresses) {
      const name = segments.at(-1);
      if (!name?.startsWith('$')) continue;
      const type = segments[0]?.startsWith(':') || segments.length === 1 ? undefined : segments[0];
      const level = segments.length === 1 ? 'system' : segments.length === 2 ? 'type' : 'instance';
      found.push({ name: name.slice(1), level, type });
    }
    return found;
  }

  /** Why nothing answers a method at an address. */
  refusal(method: string, path: string): RecordError {
    const [type, ...rest] = segmentsOf(path);
    if (type !== undefined && !isReserved(type) && !isResourceType(type)) {
      const text = 'The address names no FHIR R4 resource type, such as Patient or Observation.';
      return new RecordError(404, 'not-supported', text);
    }
    const operation = [type, ...rest].find((segment) => segment?.startsWith('$'));
    const methods = this.methodsOf(path);
    if (methods.length > 0) {
      const text = `This address takes ${methods.join(', ')}, not ${method}.`;
      return new RecordError(405, 'not-supported', text).with('allow', methods.join(', '));
    }
    if (operation === undefined) return new RecordError(404, 'not-found', 'There is nothing at this address.');
    const known = [...new Set(this.operations().map(({ name }) => `$${name}`))].sort().join(', ');
    return new RecordError(
      404,
      'not-supported',
      `There is no such operation here; this server has ${known || 'none'}.`,
    );
  }
}

const order = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The path below the base in its parts, a slash at the end left out. */
function segmentsOf(path: string): string[] {
  return path
    .split('?')[0]!
    .split('/')
    .slice(2)
    .filter((segment) => segment !== '');
}

function fits(address: Address, segments: string[]): boolean {
  return (
    address.segments.length === segments.length &&
    address.segments.every((segment, i) =>
      segment.startsWith(':') ? !isReserved(segments[i]!) : segment === segments[i],
    )
  );
}

/** Names that are no types and no ids (FHIR R4 §3.1.0.1, Style Guide). */
function isReserved(segment: string): boolean {
  return /^[$_]/.test(segment) || segment === 'metadata';
}
