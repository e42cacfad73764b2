/** What an engineer may tell the hub of a sender's dialect. */
import { typeProperties } from '@causeway/fhir';
import type { ConceptTable, Overlay } from '@causeway/mapping';
import { readColumnMap } from '@causeway/mapping/columns';
import { compileOverlay } from '@causeway/mapping/overlay';
import { isMailAddress } from '../mail/index.ts';
import { RecordError } from '../record/index.ts';
import type { Participant } from '../trust/index.ts';

type Settings = Participant['settings'];

const most = 5_000;
const uriForm = /^[a-z][a-z0-9+.-]*:\S+$/i;

/** Reads the settings of a body. @throws RecordError 400 that names what is wrong */
export function readSettings(body: { [name: string]: unknown }): Settings {
  const settings: Settings = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === 'oid')
      settings.oid = textOf(value, name, /^[0-2](\.(0|[1-9]\d*))+$/, 'an OID such as 2.16.840.1.113883.19');
    else if (name === 'timeZone') settings.timeZone = zoneOf(value);
    else if (name === 'identifierSystems') settings.identifierSystems = systemsOf(value, name);
    else if (name === 'codeSystems') settings.codeSystems = systemsOf(value, name);
    else if (name === 'concepts') settings.concepts = conceptsOf(value);
    else if (name === 'overlay') settings.overlay = overlayOf(value);
    else if (name === 'providers') settings.providers = providersOf(value);
    else if (name === 'lateMail') settings.lateMail = mailboxOf(value);
    else if (name === 'tables') settings.tables = tablesOf(value);
    else
      throw new RecordError(
        400,
        'not-supported',
        `There is no setting ${name.slice(0, 50)}; there are oid, timeZone, identifierSystems, codeSystems, concepts, overlay, providers, lateMail and tables.`,
        name,
      );
  }
  return settings;
}

function textOf(value: unknown, name: string, form: RegExp, words: string): string {
  if (typeof value === 'string' && value.length <= 500 && form.test(value)) return value;
  throw new RecordError(400, 'value', `${name} must be ${words}.`, name);
}

function mailboxOf(value: unknown): string {
  if (typeof value === 'string' && isMailAddress(value)) return value;
  throw new RecordError(400, 'value', 'lateMail must be the address of one mailbox.', 'lateMail');
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

/** Identifiers by which others name the organisation and its practitioners. */
function providersOf(value: unknown): { system: string; value: string }[] {
  if (!Array.isArray(value) || value.length > most)
    throw new RecordError(400, 'value', `providers must be a list of at most ${most} identifiers.`, 'providers');
  return value.map((one: Record<string, unknown> | null, i) => ({
    system: textOf(one?.system, `providers[${i}].system`, uriForm, 'a URI'),
    value: textOf(one?.value, `providers[${i}].value`, /\S/, 'a text'),
  }));
}

/** Names in the sender's messages, each with the URI that FHIR knows it by. */
function systemsOf(value: unknown, name: string): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordError(400, 'value', `${name} must be an object of names and URIs.`, name);
  const entries = Object.entries(value);
  if (entries.length > most) throw new RecordError(400, 'too-long', `${name} may hold ${most} names.`, name);
  return Object.fromEntries(
    entries.map(([key, uri]) => [key, textOf(uri, `${name}.${key.slice(0, 100)}`, uriForm, 'a URI')]),
  );
}

/** Standard codes of local ones, by `system|code`. */
function conceptsOf(value: unknown): ConceptTable {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordError(400, 'value', 'concepts must be an object of system|code and the standard code.', 'concepts');
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > most) throw new RecordError(400, 'too-long', `concepts may hold ${most} codes.`, 'concepts');
  return Object.fromEntries(
    entries.map(([key, standard]) => {
      const name = `concepts.${key.slice(0, 100)}`;
      const { system, code, display } = (standard ?? {}) as Record<string, unknown>;
      if (!key.includes('|')) throw new RecordError(400, 'value', `${name} must be named as system|code.`, name);
      const coding = {
        system: textOf(system, `${name}.system`, uriForm, 'a URI'),
        code: textOf(code, `${name}.code`, /^\S+( \S+)*$/, 'a code'),
      };
      if (display === undefined) return [key, coding];
      return [key, { ...coding, display: textOf(display, `${name}.display`, /\S/, 'a text') }];
    }),
  );
}

/** Compiled to see that it compiles; a row's element must be one of its resource. */
function overlayOf(value: unknown): Overlay {
  const overlay = value as Overlay;
  try {
    if (typeof value !== 'object' || value === null) throw new TypeError();
    compileOverlay(overlay);
    for (const [from, resource, to] of overlay.rows ?? []) {
      const element = /^\w+/.exec(to)?.[0] ?? '';
      if (!typeProperties(resource)?.has(element)) throw new Error(`Row ${from}: ${resource} has no ${element}`);
    }
  } catch (error) {
    const reason = error instanceof TypeError ? 'it has not the form of an overlay' : (error as Error).message;
    throw new RecordError(400, 'value', `The overlay does not compile: ${reason}.`, 'overlay');
  }
  return overlay;
}

function tablesOf(value: unknown): NonNullable<Settings['tables']> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordError(400, 'value', 'tables must be an object of tables and their column maps.', 'tables');
  return Object.fromEntries(
    Object.entries(value).map(([name, stated]) => {
      const map = readColumnMap(stated);
      if (typeof map !== 'string') return [name, map];
      throw new RecordError(400, 'value', `tables.${name.slice(0, 60)}: ${map}`, 'tables');
    }),
  );
}
