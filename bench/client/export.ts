/** A system-wide bulk export (HL7 Bulk Data Access 2.0): from the kick-off to the last byte of the last file. */
import { type FhirTarget, sentenceOf } from './server.ts';

const pollMs = 50;
const patienceMs = 600_000;

/** Exports everything and reads all files; counts their lines. */
export async function exported(target: FhirTarget): Promise<{ resources: number; bytes: number }> {
  const authorization: Record<string, string> = target.token ? { authorization: `Bearer ${target.token}` } : {};
  const headers = { ...authorization, accept: 'application/fhir+json', prefer: 'respond-async' };
  const kickOff = await answered(await fetch(`${target.base}/$export`, { headers }), 'The kick-off', 202);
  await kickOff.arrayBuffer();
  const status = kickOff.headers.get('content-location');
  if (status === null) throw new Error('The answer to the kick-off names no Content-Location.');
  const manifest = await finished(new URL(status, target.base), { ...authorization, accept: 'application/json' });
  const sum = { resources: 0, bytes: 0 };
  for (const { url } of manifest.output ?? []) {
    const file = await answered(
      await fetch(url, { headers: { ...authorization, accept: 'application/fhir+ndjson' } }),
      'The file',
      200,
    );
    for await (const chunk of file.body!) {
      sum.bytes += chunk.length;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) sum.resources++;
    }
  }
  return sum;
}

const newline = 0x0a;

interface Manifest {
  output?: { type: string; url: string }[];
}

async function finished(status: URL, headers: Record<string, string>): Promise<Manifest> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const answer = await fetch(status, { headers });
    const { status: code } = answer;
    if (code !== 202 && code !== 429) return (await (await answered(answer, 'The status', 200)).json()) as Manifest;
    await answer.arrayBuffer();
    // Small exports are over at once; a large one is asked for as seldom as the server wishes.
    const wishMs = code === 429 ? Number(answer.headers.get('retry-after') ?? 1) * 1_000 : pollMs;
    await new Promise((resolve) => setTimeout(resolve, wishMs));
  }
  throw new Error('The export was not finished after ten minutes.');
}

async function answered(answer: Response, what: string, status: number): Promise<Response> {
  if (answer.status === status) return answer;
  const sentence = sentenceOf(Buffer.from(await answer.arrayBuffer()));
  throw new Error(`${what} has the status ${answer.status}, not ${status}: ${sentence}`);
}
