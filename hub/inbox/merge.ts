/**
 * How a statement of part of a resource meets what is known: elements stated replace theirs, elements not stated stay,
 * and what the source deletes goes (HL7 v2: an empty field and `""` are different things).
 */

type Element = Record<string, unknown>;

/** For elements that repeat: what makes two entries the same one. */
const discriminators: Record<string, (entry: Element) => string> = {
  identifier: (entry) => `${entry.system ?? ''}`,
  telecom: (entry) => `${entry.system ?? ''}/${entry.use ?? ''}`,
  name: (entry) => `${entry.use ?? ''}`,
  address: (entry) => `${entry.use ?? ''}`,
  result: (entry) => `${entry.reference}`,
  participant: (entry) => JSON.stringify([entry.type, entry.individual, entry.actor]),
  extension: (entry) => `${entry.url}`,
};

/** The known resource with a newer statement merged in. */
export function mergeResource(known: Element, stated: Element, clears: readonly string[] = []): Element {
  const merged: Element = { ...known };
  for (const clear of clears) remove(merged, clear);
  for (const [element, value] of Object.entries(stated)) {
    const before = merged[element];
    const sameEntry = discriminators[element];
    if (element.startsWith('meta')) merged[element] = value;
    else if (Array.isArray(value) && Array.isArray(before) && sameEntry)
      merged[element] = mergeEntries(before, value, sameEntry);
    else {
      for (const other of choicesOf(element)) if (other !== element) delete merged[other];
      merged[element] = value;
    }
  }
  return merged;
}

function mergeEntries(before: Element[], stated: Element[], key: (entry: Element) => string): Element[] {
  const replaced = new Set(stated.map(key));
  return [...stated, ...before.filter((entry) => !replaced.has(key(entry)))];
}

function remove(resource: Element, clear: string): void {
  const [, element, property, value] = /^([A-Za-z]+)(?:\[([A-Za-z]+)=(.*)\])?$/.exec(clear) ?? [];
  if (element === undefined) return;
  const there = resource[element];
  if (property === undefined || !Array.isArray(there)) {
    delete resource[element];
    return;
  }
  const left = there.filter((entry: Element) => String(entry[property]) !== value);
  if (left.length === 0) delete resource[element];
  else resource[element] = left;
}

/** Elements of which a resource has one at most, such as deceasedBoolean and deceasedDateTime. */
function choicesOf(element: string): string[] {
  const stem = /^(deceased|multipleBirth|onset|abatement|performed|effective|occurrence|medication|value)[A-Z]/.exec(
    element,
  )?.[1];
  return stem ? choiceTypes.map((type) => `${stem}${type}`) : [];
}

const choiceTypes = [
  'Boolean',
  'DateTime',
  'Integer',
  'Period',
  'Age',
  'Range',
  'String',
  'CodeableConcept',
  'Reference',
  'Quantity',
  'Ratio',
  'Timing',
  'Instant',
];
