/** References as searches see them (https://hl7.org/fhir/R4/references.html). */
import { isResourceType } from '../resource-types.ts';
import type { ReferenceValue } from './index-value.ts';

/**
 * What a reference string points at; undefined for a contained resource and for nothing. `base` is this server's own
 * base URL with a slash at its end: absolute references below it are read as relative ones.
 */
export function referenceValue(reference: string, base?: string): ReferenceValue | undefined {
  if (reference === '' || reference.startsWith('#')) return undefined;
  const isLocal = base !== undefined && reference.startsWith(base);
  const relative = isLocal ? reference.slice(base.length) : reference;
  const slash = relative.indexOf('/');
  if (slash > 0) {
    const type = relative.slice(0, slash);
    if (isResourceType(type)) {
      const next = relative.indexOf('/', slash + 1);
      const id = next < 0 ? relative.slice(slash + 1) : relative.slice(slash + 1, next);
      if (isId(id) && (next < 0 || relative.startsWith('/_history/', next))) return { kind: 'reference', type, id };
    }
  }
  return { kind: 'reference', type: typeInUrl(reference), url: reference };
}

/** The type a reference names, whichever way it points there. */
export function referencedType(element: { reference?: unknown; type?: unknown }): string | undefined {
  if (typeof element.reference === 'string') {
    const relative = element.reference.slice(0, element.reference.indexOf('/'));
    if (isResourceType(relative)) return relative;
    const absolute = typeInUrl(element.reference);
    if (absolute !== undefined) return absolute;
  }
  return typeof element.type === 'string' ? element.type : undefined;
}

/** Whether a string can be the id of a resource: 1 to 64 letters, digits, `-` and `.`. */
export function isId(text: string): boolean {
  const { length } = text;
  if (length === 0 || length > 64) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
    if (!isLetter && !(code >= 48 && code <= 57) && code !== 45 && code !== 46) return false;
  }
  return true;
}

function typeInUrl(url: string): string | undefined {
  if (!url.includes('://')) return undefined;
  const parts = url.split('/');
  const history = parts.indexOf('_history');
  const type = parts[(history < 0 ? parts.length : history) - 2];
  return type !== undefined && isResourceType(type) ? type : undefined;
}
