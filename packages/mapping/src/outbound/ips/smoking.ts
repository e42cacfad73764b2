/** Smoking states: the answers of LOINC that the guide demands, by what SNOMED CT says for them (the guide's ConceptMap). */
import type { CodeableConcept } from '@medplum/fhirtypes';
import { LOINC, SNOMED } from './codes.ts';

const ANSWERS: Readonly<Record<string, readonly [code: string, display: string]>> = {
  '449868002': ['LA18976-3', 'Current every day smoker'],
  '428041000124106': ['LA18977-1', 'Current some day smoker'],
  '8517006': ['LA15920-4', 'Former smoker'],
  '266919005': ['LA18978-9', 'Never smoker'],
  '77176002': ['LA18979-7', 'Smoker, current status unknown'],
  '266927001': ['LA18980-5', 'Unknown if ever smoked'],
  '428071000124103': ['LA18981-3', 'Heavy tobacco smoker'],
  '428061000124105': ['LA18982-1', 'Light tobacco smoker'],
};
const CODES = new Set(Object.values(ANSWERS).map(([code]) => code));

/** The concept with LOINC's answer beside what it has; undefined where there is none for it. */
export function withSmokingAnswer(concept: CodeableConcept): CodeableConcept | undefined {
  const { coding = [] } = concept;
  if (coding.some(({ system, code }) => system === LOINC && CODES.has(code ?? ''))) return concept;
  const known = coding.find(({ system, code }) => system === SNOMED && Object.hasOwn(ANSWERS, code ?? ''));
  if (known === undefined) return undefined;
  const [code, display] = ANSWERS[known.code!]!;
  return { ...concept, coding: [...coding, { system: LOINC, code, display }] };
}
