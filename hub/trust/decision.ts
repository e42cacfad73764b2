/**
 * The access decision as a condition on the rows of `resource` and `resource_history`: layers 1 to 5 of docs/access.md in
 * SQL. `hiddenBy` of @causeway/access says the same in memory.
 */
import type { Limits } from '@causeway/access';
import { isInPatientCompartment, resourceTypes, typeCode } from '@causeway/fhir';

/** Adds a value to a statement and returns its placeholder. */
type Parameter = (value: unknown) => string;

/** What the provisions say of a row, as bits beside those of the labels that they permit. */
const permits = 1 << 28;
const refuses = 1 << 29;
const refusesByName = 1 << 30;

/** What tables are called inside the condition; a row of that name would be taken for one of these. */
const ownAliases = ['o', 'n', 'above', 'under', 'said', 'refusal'];

/** A row that is decided on. */
export interface DecidedRow {
  alias: string;
  /** Whether it has the tokens that it is found by. */
  hasTokens: boolean;
  /** Its type, where all rows have one. */
  type?: string | undefined;
  /** Few rows are looked at, so that what it costs to set the statement up counts more than each row. */
  isOfFew?: boolean | undefined;
}

/**
 * The condition that a row may be seen.
 * @param homes the condition on its home
 */
export function visibleRow(limits: Limits, row: DecidedRow, homes: string, parameter: Parameter): string {
  const { alias, hasTokens } = row;
  if (ownAliases.includes(alias))
    throw new Error(`A row that is decided on cannot be called ${alias} in its statement.`);
  if (limits.isCustodian) return homes;
  const parts: string[] = [];
  if (limits.types !== 'all') {
    const found = hasTokens ? (limits.found ?? []) : [];
    if (limits.types.length === 0 && found.length === 0) return 'false';
    const ofTypes = `${alias}.type = ANY(${parameter(braces(limits.types.map(typeCode)))}::smallint[])`;
    const each = found.map(({ type, all }) => {
      const has = all.map((some) => `coalesce(${alias}.tokens && ${parameter(braces(some))}::bigint[], false)`);
      return `(${alias}.type = ${typeCode(type)} AND ${has.join(' AND ')})`;
    });
    parts.push(each.length === 0 ? ofTypes : `(${[ofTypes, ...each].join(' OR ')})`);
  }
  const ofPatients = [homes, ...ofPatient(limits, row, parameter)].join(' AND ');
  const ofNobody = limits.isConfined
    ? ` AND NOT ${alias}.type = ANY(${parameter(compartmentCodes())}::smallint[])`
    : '';
  const ofOthers = ofOwner(limits, row, parameter);
  parts.push(`CASE WHEN ${alias}.home < 0 THEN true${ofNobody}${ofOthers} ELSE ${ofPatients} END`);
  return `(${parts.join(' AND ')})`;
}

/** A Subscription is for whoever asked for it: it tells what they look for, and how to speak for them. */
function ofOwner({ types, names }: Limits, { alias, type }: DecidedRow, parameter: Parameter): string {
  if ((types !== 'all' && !types.includes('Subscription')) || (type !== undefined && type !== 'Subscription'))
    return '';
  const owner = parameter(names.find((name) => name.startsWith('account:')) ?? '');
  return ` AND (${alias}.type <> ${typeCode('Subscription')} OR EXISTS (
    SELECT 1 FROM subscription s WHERE s.rid = ${alias}.rid AND s.owner = ${owner} OFFSET 0))`;
}

function ofPatient(limits: Limits, row: DecidedRow, parameter: Parameter): string[] {
  const { alias } = row;
  const { withheld, ownOpens, permissionFor, isPermissionNeeded, refusals, own } = limits;
  const isOwn =
    own === undefined
      ? 'false'
      : `EXISTS (SELECT 1 FROM link o WHERE o.home = ${alias}.home AND o.source = ${parameter(own)} OFFSET 0)`;
  const parts: string[] = [];
  if (withheld !== 0) {
    const free = `${alias}.labels & ${withheld} = 0`;
    const opened = withheld & ~ownOpens;
    parts.push(ownOpens === 0 ? free : `(${free} OR (${alias}.labels & ${opened} = 0 AND ${isOwn}))`);
  }
  if (refusals === 'none' && permissionFor === 0 && !isPermissionNeeded) {
    // Nobody's consent is asked; but while consents cannot be read, nothing is given out save in an emergency.
    return limits.purpose === 'ETREAT' ? parts : [...parts, '(SELECT true FROM consent_provision LIMIT 0) IS NULL'];
  }
  const caller = { names: parameter([...limits.names]), purpose: parameter(limits.purpose) };
  const columns = columnsOf(row);
  const isNamedAlone = limits.refusals === 'named';
  const said = row.isOfFew
    ? `SELECT consent_said(${[...Object.values(columns), `${caller.names}::text[]`, `${caller.purpose}::text`, isNamedAlone].join(', ')}) AS bits OFFSET 0`
    : saying(columns, caller, String(isNamedAlone));
  const byName = refusals === 'none' ? [] : [`said.bits & ${refusesByName} = 0`];
  const byNobody = refusals === 'all' ? [`(said.bits & ${refuses} = 0 OR ${isOwn})`] : [];
  const needs = [
    ...(isPermissionNeeded ? [`said.bits & ${permits} <> 0`] : []),
    ...(permissionFor === 0 ? [] : [`${alias}.labels & ${permissionFor} & ~said.bits = 0`]),
  ].join(' AND ');
  const permission = needs === '' ? [] : [`(${needs} OR ${isOwn})`];
  const asked = `(SELECT ${[...byName, ...byNobody, ...permission].join(' AND ')} FROM (${said}) said)`;
  // Where no permission is needed, as for most rows, only a refusal that applies by its own criteria can hide the row.
  const applies = criteria('refusal', columns, caller).join(' AND ');
  const silent = `NOT EXISTS (SELECT 1 FROM consent_provision refusal
    WHERE refusal.home = ${alias}.home AND refusal.effect = 2 AND ${applies} OFFSET 0)`;
  const unlabelled = permissionFor === 0 ? 'true' : `${alias}.labels & ${permissionFor} = 0`;
  const plain = refusals === 'none' ? unlabelled : `${unlabelled} AND ${silent}`;
  parts.push(isPermissionNeeded ? asked : `CASE WHEN ${plain} THEN true ELSE ${asked} END`);
  return parts;
}

/** The placeholders of what provisions may ask of the caller. */
interface CallerParameters {
  names: string;
  purpose: string;
}

/** What provisions look at in a row, as expressions. */
interface RowColumns {
  home: string;
  type: string;
  rid: string;
  labels: string;
  tokens: string;
  firstDay: string;
  lastDay: string;
}

function columnsOf({ alias, hasTokens }: DecidedRow): RowColumns {
  return {
    home: `${alias}.home`,
    type: `${alias}.type`,
    rid: `${alias}.rid`,
    labels: `${alias}.labels`,
    // What a past version was found by is not known.
    tokens: hasTokens ? `${alias}.tokens` : 'NULL::bigint[]',
    firstDay: `${alias}.first_day`,
    lastDay: `${alias}.last_day`,
  };
}

/**
 * The body of the function `consent_said`, which says for one row what `saying` says within a statement: a statement that
 * calls it is set up in half the time, and each row takes longer. A migration makes it.
 */
export function consentSaidBody(): string {
  const row: RowColumns = {
    home: 'row_home',
    type: 'row_type',
    rid: 'row_rid',
    labels: 'row_labels',
    tokens: 'row_tokens',
    firstDay: 'row_first_day',
    lastDay: 'row_last_day',
  };
  const caller = { names: 'caller_names', purpose: 'caller_purpose' };
  const applies = criteria('n', row, caller).join(' AND ');
  // Without exceptions each provision that applies says what it says.
  return `DECLARE
  said integer;
  has_exceptions boolean;
BEGIN
  SELECT coalesce(${bits('is_named_alone')} FILTER (WHERE ${applies}), 0), coalesce(bool_or(n.parent IS NOT NULL), false)
    INTO said, has_exceptions FROM consent_provision n WHERE n.home = row_home;
  IF has_exceptions THEN
    RETURN (${saying(row, caller, 'is_named_alone')});
  END IF;
  RETURN said;
END`;
}

/** What provisions say, all in one number. @param isNamedAlone whether only permissions that name somebody count, as SQL */
function bits(isNamedAlone: string): string {
  return `bit_or(CASE WHEN n.effect = 1 AND (n.named OR NOT ${isNamedAlone}) THEN n.covers | ${permits}
      WHEN n.effect = 2 THEN CASE WHEN n.named THEN ${refusesByName} ELSE ${refuses} END ELSE 0 END)`;
}

/** What the provisions say that apply to a row and of whose exceptions none does, in one number. */
function saying(row: RowColumns, caller: CallerParameters, isNamedAlone: string): string {
  const applies = (provision: string) => `(${criteria(provision, row, caller).join(' AND ')})`;
  return `SELECT coalesce(${bits(isNamedAlone)}, 0) AS bits
    FROM consent_provision n WHERE n.home = ${row.home} AND ${applies('n')}
      AND NOT EXISTS (SELECT 1 FROM consent_provision above WHERE above.home = ${row.home}
        AND above.consent = n.consent AND above.node = ANY(n.path) AND NOT ${applies('above')} OFFSET 0)
      AND NOT EXISTS (SELECT 1 FROM consent_provision under WHERE under.home = ${row.home}
        AND under.consent = n.consent AND under.parent = n.node AND ${applies('under')} OFFSET 0)`;
}

/** That a provision's own criteria hold; never NULL. */
function criteria(provision: string, row: RowColumns, { names, purpose }: CallerParameters): string[] {
  const p = provision;
  const { type, rid, labels, tokens, firstDay, lastDay } = row;
  return [
    `${p}.times @> now()`,
    `(${p}.actors IS NULL OR ${p}.actors && ${names}::text[])`,
    `(${p}.purposes IS NULL OR ${purpose}::text = ANY(${p}.purposes))`,
    `(${p}.labels IS NULL OR ${labels} & ${p}.labels <> 0)`,
    `(${p}.types IS NULL OR ${type} = ANY(${p}.types))`,
    // Where it is not known what a row is found by, what is refused by code may have been it.
    `(${p}.codes IS NULL OR coalesce(${tokens} && ${p}.codes, NOT ${p}.permits))`,
    `(${p}.instances IS NULL OR ${type} || '/' || ${rid} = ANY(${p}.instances))`,
    `(${p}.first_day IS NULL OR CASE WHEN ${firstDay} IS NULL THEN NOT ${p}.permits
      WHEN ${p}.permits THEN ${firstDay} >= ${p}.first_day AND ${lastDay} <= ${p}.last_day
      ELSE ${lastDay} >= ${p}.first_day AND ${firstDay} <= ${p}.last_day END)`,
  ];
}

let codes: string | undefined;

function compartmentCodes(): string {
  codes ??= braces(resourceTypes().filter(isInPatientCompartment).map(typeCode));
  return codes;
}

function braces(values: readonly unknown[]): string {
  return `{${values.join(',')}}`;
}
