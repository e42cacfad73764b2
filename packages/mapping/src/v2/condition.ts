/**
 * The conditions of the tables: `OBX-2 in NM, SN`, `PV1-45 valued`, `not PV1-45 valued`, joined by `and` / `or`
 * (`and` binds tighter). Compiled once to closures; a condition that does not compile fails the load.
 */
import type { SourceSegment } from './source.ts';

export type Condition = (segment: SourceSegment) => boolean;

/** @param text a condition over fields of the row's own segment */
export function compileCondition(text: string): Condition {
  const alternatives = text.split(' or ').map((part) => part.split(' and ').map(compileTerm));
  return (segment) => alternatives.some((terms) => terms.every((term) => term(segment)));
}

function compileTerm(text: string): Condition {
  const found = /^(not )?[A-Z][A-Z0-9]{2}-(\d+)(?:\.(\d+))? (valued|in (.+))$/.exec(text.trim());
  if (found === null) throw new Error(`Condition '${text}' does not compile`);
  const negated = found[1] !== undefined;
  const field = Number(found[2]);
  const component = Number(found[3] ?? 1);
  if (found[4] === 'valued') {
    const whole = found[3] === undefined;
    return (segment) => {
      const node = segment.fields[field];
      const valued = whole ? node !== undefined : node?.[0]?.[component] !== undefined;
      return valued !== negated;
    };
  }
  const values = new Set(found[5]!.split(',').map((value) => value.trim().toUpperCase()));
  return (segment) => {
    const atom = segment.fields[field]?.[0]?.[component]?.[1];
    const matches = atom !== undefined && values.has(atom.value.trim().toUpperCase());
    if (matches && atom.disposition === 'kept') {
      atom.disposition = 'consumed';
      atom.rule = `${segment.name}-${field}/condition`;
    }
    return matches !== negated;
  };
}
