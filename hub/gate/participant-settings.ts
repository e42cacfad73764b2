/** What an administrator may tell the hub of a sender's dialect. */
import { RecordError } from '../record/index.ts';
import type { Participant } from '../trust/index.ts';

type Settings = Participant['settings'];

const most = 5_000;

/** Reads the settings of a body. @throws RecordError 400 that names what is wrong */
export function readSettings(body: { [name: string]: unknown }): Settings {
  const settings: Settings = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === 'oid')
      settings.oid = textOf(value, name, /^[0-2](\.(0|[1-9]\d*))+$/, 'an OID such as 2.16.840.1.113883.19');
    else if (name === 'timeZone') settings.timeZone = zoneOf(value);
    else if (name === 'identifierSystems') settings.identifierSystems = systemsOf(value, name);
    else if (name === 'codeSystems') settings.codeSystems = systemsOf(value, name);
    else
      throw new RecordError(
        400,
        'not-supported',
        `There is no setting ${name.slice(0, 50)}; there are oid, timeZone, identifierSystems and codeSystems.`,
        name,
      );
  }
  return settings;
}

function textOf(value: unknown, name: string, form: RegExp, words: string): string {
  if (typeof value === 'string' && value.length <= 500 && form.test(value)) return value;
  throw new RecordError(400, 'value', `${name} must be ${words}.`, name);
}

function zoneOf(value: unknown): string {
  try {
    if (typeof value === 'string')
      return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone && value;
  } catch {
    // Falls through to the error below.
  }
  throw new RecordError(
    400,
    'value',
    'timeZone must be a name of the IANA time zone database, such as Europe/Vienna.',
    'timeZone',
  );
}

/** Names in the sender's messages, each with the URI that FHIR knows it by. */
function systemsOf(value: unknown, name: string): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordError(400, 'value', `${name} must be an object of names and URIs.`, name);
  const entries = Object.entries(value);
  if (entries.length > most) throw new RecordError(400, 'too-long', `${name} may hold ${most} names.`, name);
  return Object.fromEntries(
    entries.map(([key, uri]) => [
      key,
      textOf(uri, `${name}.${key.slice(0, 100)}`, /^[a-z][a-z0-9+.-]*:\S+$/i, 'a URI'),
    ]),
  );
}
