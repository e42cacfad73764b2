/**
 * Quantities, ranges and observed values as words, with the digits and the unit the source gave. Nothing is converted.
 */
import { unitWords } from '@causeway/fhir/unit-words';
import type { Observation, ObservationComponent, ObservationReferenceRange, Quantity, Range } from '@medplum/fhirtypes';
import { absentReason, absentWords } from './absent.ts';
import { conceptText, firstCode } from './concepts.ts';
import { formatDateTime, formatPeriod } from './dates.ts';
import { digitsOf } from './decimals.ts';

/** `< 0.5 mg/dL`; `''` for a quantity without value and unit. */
export function quantityText(quantity: Quantity | undefined | null): string {
  if (!quantity) return '';
  const value = digitsOf(quantity, 'value') || absentReason(quantity);
  return [quantity.comparator, value, unitText(quantity)].filter(Boolean).join(' ');
}

export function unitText(quantity: Quantity | undefined | null): string {
  return unitWords(quantity?.unit ?? quantity?.code ?? '');
}

/** `3.5 – 5.1 mmol/L`, `≥ 40`, `≤ 5`; the unit is left out when it is `sameUnit`. */
export function rangeText(range: Range | ObservationReferenceRange | undefined | null, sameUnit = ''): string {
  if (!range) return '';
  const low = digitsOf(range.low ?? {}, 'value');
  const high = digitsOf(range.high ?? {}, 'value');
  const unit = unitText(range.high ?? range.low);
  const tail = unit && unit !== sameUnit ? ` ${unit}` : '';
  if (low && high) return `${low} – ${high}${tail}`;
  if (low) return `≥ ${low}${tail}`;
  if (high) return `≤ ${high}${tail}`;
  return 'text' in range ? (range.text ?? '') : '';
}

/** The value of an observation or of one of its components, in words; why there is none, or `''`. */
export function observedText(observed: Observation | ObservationComponent): string {
  if (observed.valueQuantity) return quantityText(observed.valueQuantity);
  if (observed.valueCodeableConcept) return conceptText(observed.valueCodeableConcept);
  if (observed.valueString !== undefined) return observed.valueString;
  if (observed.valueInteger !== undefined) return String(observed.valueInteger);
  if (observed.valueBoolean !== undefined) return observed.valueBoolean ? 'yes' : 'no';
  if (observed.valueRange) return rangeText(observed.valueRange);
  if (observed.valueRatio) {
    const { numerator, denominator } = observed.valueRatio;
    return `${quantityText(numerator)} : ${quantityText(denominator)}`;
  }
  if (observed.valueDateTime) return formatDateTime(observed.valueDateTime);
  if (observed.valueTime) return observed.valueTime;
  if (observed.valuePeriod) return formatPeriod(observed.valuePeriod);
  if (observed.valueSampledData) return `waveform of ${observed.valueSampledData.dimensions} value(s) a sample`;
  const reason = firstCode(observed.dataAbsentReason);
  return reason ? absentWords(reason) : conceptText(observed.dataAbsentReason);
}

/** The date by which an observation is placed in time: when it was true, else when it was released. */
export function observedAt(observation: Observation): string | undefined {
  return (
    observation.effectiveDateTime ??
    observation.effectiveInstant ??
    observation.effectivePeriod?.end ??
    observation.effectivePeriod?.start ??
    observation.issued
  );
}
