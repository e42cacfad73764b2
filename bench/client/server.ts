/** What every part of the client needs of a FHIR server: where it is, and its refusals as sentences. */
import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import type { Answer, HttpConnection } from './http-connection.ts';

export interface FhirTarget {
  /** The address of the FHIR API. */
  base: string;
  token: string | undefined;
  /** Keeps the people of several runs against one server apart. */
  run: string;
}

/** The answer itself where it has the status. @throws Error with what the server said */
export function expect(answer: Answer, what: string, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${what} has the status ${answer.status}, not ${status}: ${sentenceOf(answer.body)}`);
}

/** The sentence of an OperationOutcome; the beginning of any other text. */
export function sentenceOf(body: Buffer): string {
  const text = body.toString('utf8');
  try {
    const [issue] = (JSON.parse(text) as OperationOutcome).issue;
    const sentence = issue?.diagnostics ?? issue?.details?.text;
    if (sentence !== undefined) return sentence.slice(0, 300);
  } catch {
    // Not every server answers in FHIR.
  }
  return text.slice(0, 300);
}

/** The Bundle that a GET below the base is answered with. */
export async function bundleAt(connection: HttpConnection, path: string): Promise<Bundle> {
  const { body } = expect(await connection.request('GET', path), 'The answer', 200);
  return JSON.parse(body.toString('utf8')) as Bundle;
}

/** The path below the base of a Bundle's link to its next page. */
export function nextPath(bundle: Bundle, base: string): string | undefined {
  const url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  if (url === undefined) return undefined;
  const address = new URL(url, base);
  const prefix = new URL(base).pathname.replace(/\/$/, '');
  const path = address.pathname.startsWith(prefix) ? address.pathname.slice(prefix.length) : address.pathname;
  return path + address.search;
}
