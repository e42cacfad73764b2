/**
 * Element paths as integration engines write them: `PID-5.1`, `PID-3[2].4.1`, `OBX[3]-5`. Brackets hold the occurrence
 * of the segment or the repetition of the field; what is left out is 1.
 */
export interface ElementPath {
  readonly segment: string;
  readonly occurrence: number;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
}

/**
 * Reads a path.
 *
 * @throws TypeError when it is not one: paths come from our own tables and code
 */
export function parsePath(path: string): ElementPath {
  let parsed = known.get(path);
  if (parsed === undefined) {
    parsed = read(path);
    if (known.size >= 10_000) {
      known.clear();
    }
    known.set(path, parsed);
  }
  return parsed;
}

const known = new Map<string, ElementPath>();

const pattern = /^([A-Z][A-Z0-9]{2})(?:\[(\d{1,6})\])?-(\d{1,4})(?:\[(\d{1,6})\])?(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?$/;

function read(path: string): ElementPath {
  const match = pattern.exec(path);
  if (match === null) {
    throw new TypeError(`"${path}" is no element path; write it as PID-3[2].4.1`);
  }
  const [occurrence, field, repetition, component, subcomponent] = match.slice(2).map((digits) => Number(digits ?? 1));
  return {
    segment: match[1]!,
    occurrence: occurrence!,
    field: field!,
    repetition: repetition!,
    component: component!,
    subcomponent: subcomponent!,
  };
}
