/** Observation.value[x] as OBX-2, OBX-5 and OBX-6 (HL7 v2.5.1 chapter 7.4.2). */
import type { FieldValue } from '@causeway/hl7v2';
import { repetitions } from '@causeway/hl7v2';
import type { Observation, Quantity } from '@medplum/fhirtypes';
import { codingSystem, cwe, dtm } from './v2-values.ts';

export interface V2Value {
  /** OBX-2; empty where there is no value. */
  type: string;
  value: FieldValue;
  units: FieldValue;
}

/** The value with its type and units; `origin` names the site whose local codes it may hold. */
export function observationValue(observation: Observation, origin: string): V2Value {
  const { valueQuantity: quantity, valueRange: range, valueRatio: ratio } = observation;
  if (quantity?.value !== undefined) {
    return quantity.comparator
      ? { type: 'SN', value: [quantity.comparator, quantity.value], units: unitsOf(quantity, origin) }
      : { type: 'NM', value: quantity.value, units: unitsOf(quantity, origin) };
  }
  if (range) {
    const units = unitsOf(range.low ?? range.high, origin);
    return { type: 'SN', value: ['', range.low?.value, '-', range.high?.value], units };
  }
  if (ratio) {
    const units = unitsOf(ratio.numerator, origin);
    return {
      type: 'SN',
      value: [ratio.numerator?.comparator, ratio.numerator?.value, ':', ratio.denominator?.value],
      units,
    };
  }
  if (observation.valueCodeableConcept) {
    return { type: 'CWE', value: cwe(observation.valueCodeableConcept, origin), units: undefined };
  }
  if (observation.valueString !== undefined) {
    const lines = observation.valueString.split('\n');
    return lines.length > 1
      ? { type: 'TX', value: repetitions(...lines), units: undefined }
      : { type: 'ST', value: observation.valueString, units: undefined };
  }
  if (observation.valueDateTime) return { type: 'TS', value: dtm(observation.valueDateTime), units: undefined };
  if (observation.valueTime) return { type: 'TM', value: observation.valueTime.replace(/:/g, ''), units: undefined };
  if (observation.valueInteger !== undefined) return { type: 'NM', value: observation.valueInteger, units: undefined };
  if (observation.valueBoolean !== undefined) {
    const code = observation.valueBoolean ? 'Y' : 'N';
    return { type: 'CWE', value: [code, code === 'Y' ? 'Yes' : 'No', 'HL70136'], units: undefined };
  }
  if (observation.valuePeriod) {
    return {
      type: 'DR',
      value: [dtm(observation.valuePeriod.start), dtm(observation.valuePeriod.end)],
      units: undefined,
    };
  }
  return { type: '', value: undefined, units: undefined };
}

function unitsOf(quantity: Quantity | undefined, origin: string): FieldValue {
  if (!quantity) return undefined;
  if (!quantity.code) return quantity.unit ? [quantity.unit, quantity.unit] : undefined;
  return [quantity.code, quantity.unit, codingSystem(quantity.system, origin)];
}
