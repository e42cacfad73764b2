/** Observation.value[x] as OBX-2, OBX-5 and OBX-6, and its reference range (v2.5.1 chapter 7.4.2): the way back of `v2/segments/observation-value.ts`. */
import type { LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { childOf, codingsOf, type Element, extensionOf, isElement, listOf, textOf, type Writing } from '../record.ts';
import { writeCodings, writeConcept } from './coded.ts';
import { writeBoolean, writeDateTime, writePeriod, writeTime } from './primitives.ts';
import { writeUnits } from './quantities.ts';

export interface ObservationValue {
  /** OBX-2; empty where there is no value. */
  type: string;
  /** Repetitions of OBX-5. */
  values: RepetitionValue[];
  units: LeafValue[];
}

const NO_UNITS: LeafValue[] = [];
const R5_VALUE = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.value';

export function observationValue(of: Element, writing: Writing): ObservationValue {
  return (
    numericValue(of, writing) ?? codedValue(of, writing) ?? plainValue(of) ?? { type: '', values: [], units: NO_UNITS }
  );
}

function numericValue(of: Element, writing: Writing): ObservationValue | undefined {
  const quantity = childOf(of, 'valueQuantity');
  const value = textOf(quantity, 'value');
  if (value !== undefined) {
    const comparator = textOf(quantity, 'comparator');
    const units = writeUnits(quantity, writing);
    if (comparator === undefined) return { type: 'NM', values: [value], units };
    return { type: 'SN', values: [[comparator, value]], units };
  }
  const several = listOf(of, 'component').filter(({ code }) => JSON.stringify(code) === JSON.stringify(of.code));
  const quantities = several.flatMap((component) => childOf(component, 'valueQuantity') ?? []);
  if (quantities.length > 0) {
    const values = quantities.map((item) => textOf(item, 'value'));
    return { type: 'NM', values, units: writeUnits(quantities[0], writing) };
  }
  const range = childOf(of, 'valueRange');
  if (range !== undefined) {
    const [low, high] = [childOf(range, 'low'), childOf(range, 'high')];
    const units = writeUnits(low ?? high, writing);
    return { type: 'SN', values: [['', textOf(low, 'value'), '-', textOf(high, 'value')]], units };
  }
  const ratio = childOf(of, 'valueRatio');
  if (ratio === undefined) return undefined;
  const [over, under] = [childOf(ratio, 'numerator'), childOf(ratio, 'denominator')];
  const values = [[textOf(over, 'comparator'), textOf(over, 'value'), ':', textOf(under, 'value')]];
  return { type: 'SN', values, units: writeUnits(over, writing) };
}

/** Codings of one system are several answers, of different systems the same answer in other words. */
function codedValue(of: Element, writing: Writing): ObservationValue | undefined {
  const concept = childOf(of, 'valueCodeableConcept');
  if (concept === undefined) return undefined;
  const codings = codingsOf(concept);
  const several = codings.length > 1 && codings.every(({ system }) => system === codings[0]!.system);
  const values = several
    ? codings.map((coding) => writeCodings([coding], undefined, writing))
    : [writeConcept(concept, writing)];
  return { type: 'CWE', values, units: NO_UNITS };
}

function plainValue(of: Element): ObservationValue | undefined {
  const text = textOf(of, 'valueString');
  if (text !== undefined) {
    const lines = text.split('\n');
    return { type: lines.length > 1 ? 'TX' : 'ST', values: lines, units: NO_UNITS };
  }
  const time = textOf(of, 'valueDateTime');
  if (time !== undefined) return { type: 'TS', values: [writeDateTime(time)], units: NO_UNITS };
  if (of.valueTime !== undefined) return { type: 'TM', values: [writeTime(of.valueTime)], units: NO_UNITS };
  const integer = textOf(of, 'valueInteger');
  if (integer !== undefined) return { type: 'NM', values: [integer], units: NO_UNITS };
  if (typeof of.valueBoolean === 'boolean') {
    const words = of.valueBoolean ? 'Yes' : 'No';
    return { type: 'CWE', values: [[writeBoolean(of.valueBoolean), words, 'HL70136']], units: NO_UNITS };
  }
  if (of.valuePeriod !== undefined) return { type: 'DR', values: [writePeriod(of.valuePeriod)], units: NO_UNITS };
  const attachment = extensionOf(of, R5_VALUE);
  if (!isElement(attachment)) return undefined;
  const [type, value] = attachmentValue(attachment);
  return { type, values: [value], units: NO_UNITS };
}

/** ED of inline data, RP of what lies elsewhere. */
export function attachmentValue(attachment: Element): [type: 'ED' | 'RP', value: RepetitionValue] {
  const contentType = (textOf(attachment, 'contentType') ?? '').split(';')[0]!;
  const [type = '', subtype = ''] = contentType.split('/');
  const url = textOf(attachment, 'url');
  if (url !== undefined) return ['RP', [url, '', type, subtype]];
  return ['ED', [textOf(attachment, 'title'), type, subtype, 'Base64', textOf(attachment, 'data')]];
}

/** OBX-7. */
export function rangeText(of: Element): string {
  const range = listOf(of, 'referenceRange')[0];
  const text = textOf(range, 'text');
  if (text !== undefined) return text;
  const [low, high] = [textOf(childOf(range, 'low'), 'value'), textOf(childOf(range, 'high'), 'value')];
  if (low !== undefined && high !== undefined) return `${low}-${high}`;
  return low !== undefined ? `>=${low}` : high !== undefined ? `<=${high}` : '';
}
