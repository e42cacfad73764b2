/**
 * The rows of an Observation, whatever it is about, and its categories.
 */
import type { Row } from '../table.ts';
import { COMMENT, IDENTITY } from './common.ts';

export const OBSERVATION: readonly Row[] = [
  ...IDENTITY,
  ['code', 'code', 'concept'],
  ['statusCode', 'status', 'code', 'resultStatus'],
  ['effectiveTime', 'effective[x]', 'timeOrPeriod'],
  ['value[1]', 'value[x]', 'any'],
  ['value[2]', 'component[]', 'group', [['.', 'value[x]', 'any']]],
  ['interpretationCode', 'interpretation[]', 'concept'],
  ['methodCode[1]', 'method', 'concept'],
  ['targetSiteCode[1]', 'bodySite', 'concept'],
  ['performer', 'performer[]', 'participant'],
  ['specimen', 'specimen', 'specimen'],
  ['participant/participantRole[playingDevice]', 'device', 'device'],
  [
    'referenceRange/observationRange',
    'referenceRange[]',
    'group',
    [
      ['value[type=IVL_PQ]', '', 'range'],
      ['value[type=IVL_INT,IVL_REAL]', '', 'range'],
      ['value[type=ST,ED]', 'text', 'text'],
      ['value[type=CD,CE]', 'appliesTo[]', 'concept'],
      ['text', 'text', 'text'],
      ['code', 'appliesTo[]', 'concept'],
      ['interpretationCode', 'type', 'concept'],
    ],
  ],
  ...COMMENT,
];

export function category(code: string, display: string): unknown {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code, display }] };
}

export function usCoreCategory(code: string, display: string): unknown {
  return { coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code, display }] };
}
