/**
 * The accounting of disclosures of a person's record (45 CFR 164.528): of six years, to whom what was given out and why. What
 * the law asks for is marked; disclosures for treatment, payment and operations, and those that the person allowed, are told
 * as well.
 */
import { doneWords, purposeWords } from '@causeway/access/entry-words';
import type { AuditEvent } from '@medplum/fhirtypes';
import { auditEventOf } from './audit-event.ts';
import { deliveredTo } from './holds.ts';
import { Names, type SeenParts } from './looked.ts';
import type { Subjects } from './subjects.ts';
import { placeText, type Reader, type Told, walk } from './walk.ts';

export interface DisclosureLine {
  /** Names the access within the log. */
  id: string;
  at: string;
  recipient: { key: string; name: string; address?: string };
  /** Who of the recipient it was, where it was somebody. */
  by?: string;
  description: string;
  purpose?: { code: string; words: string };
  /** Whether 45 CFR 164.528 asks for it. */
  isRequired: boolean;
  /** Kept from the person for now. */
  isHeld?: true;
  /** Its number in the log. */
  index?: number;
}

/** Disclosures to one recipient for one purpose (164.528(b)(3)). */
export interface DisclosureSummary {
  recipient: string;
  purpose?: string;
  count: number;
  first: string;
  last: string;
  isRequired: boolean;
}

export interface Accounting {
  made: string;
  from: string;
  to: string;
  lines: DisclosureLine[];
  summary: DisclosureSummary[];
}

export interface AccountingQuery {
  /** The ids of the person. */
  patients: Subjects;
  from: Date;
  to: Date;
}

export const accountedYears = 6;

/** What is exempt from the law's accounting: treatment, payment, operations, and what the person itself asked for. */
const exempt = ['TREAT', 'ETREAT', 'BTG', 'COC', 'HPAYMT', 'HOPERAT', 'PATRQT', 'FAMRQT'];
/** Of the hub itself: what its own staff look at is use, not disclosure. */
const ownOrganizations = ['hub', 'local'];
const ownRoles = ['steward', 'privacy-officer', 'auditor', 'integration-engineer', 'administrator'];
/** Actions by which nothing of a record leaves. */
const givingNothing = [
  'create',
  'update',
  'patch',
  'delete',
  'bulk-delete',
  'expunge',
  'import',
  'validate',
  'transaction',
  'batch',
  'emergency-begin',
  'emergency-end',
  'list-accesses',
  'open-receipt',
  'list-disclosures',
  'token',
  'open-app',
  'answer-app',
  'disconnect-app',
  'bind-account',
  'unbind-account',
  'relationship',
  'file-consent',
  'make-health-link',
  'fill-health-link',
  'revoke-health-link',
  'list-health-links',
  'revoke-consent',
];
const own = ['patient', 'proxy'];

/** @param held tells what is kept from the person, for those who may see that */
export async function accountingOf(
  parts: SeenParts,
  reader: Reader,
  query: AccountingQuery,
  held?: Reader['isHeld'],
): Promise<Accounting> {
  const lines: DisclosureLine[] = [];
  const isParticipant = among(parts);
  const names = new Names(parts);
  const addresses = await addressesOf(parts);
  for await (const { told, place } of walk(parts.audit, reader, query, undefined, Number.POSITIVE_INFINITY)) {
    const key = told && recipientOf(told, isParticipant);
    if (key === undefined) continue;
    const { event } = told!.audited;
    const { who } = event;
    const isByRecipient = event.action !== 'deliver' && who !== undefined && !/^(site|client):/.test(who);
    lines.push({
      id: placeText(place),
      at: event.at,
      recipient: await recipientNamed(names, addresses, key, event.client),
      ...(isByRecipient ? { by: await names.account(who) } : {}),
      description: asSentence(doneWords(event)),
      ...(event.purpose
        ? { purpose: { code: event.purpose, words: purposeWords[event.purpose] ?? event.purpose } }
        : {}),
      isRequired: !exempt.includes(event.purpose ?? ''),
      ...(held?.(told!.audited) ? { isHeld: true as const } : {}),
      ...(told!.audited.index === undefined ? {} : { index: told!.audited.index }),
    });
  }
  return {
    made: new Date().toISOString(),
    from: query.from.toISOString(),
    to: query.to.toISOString(),
    lines,
    summary: summaryOf(lines),
  };
}

/** The same as AuditEvents, each marked whether the law asks for it. */
export async function accountingEvents(
  parts: SeenParts,
  reader: Reader,
  query: AccountingQuery,
): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  const isParticipant = among(parts);
  for await (const { told } of walk(parts.audit, reader, query, undefined, Number.POSITIVE_INFINITY)) {
    if (told === undefined || recipientOf(told, isParticipant) === undefined) continue;
    const event = auditEventOf(told.audited, told.patient, {
      base: reader.base,
      isWhole: told.isWhole,
      seesOrigin: false,
    });
    const code = exempt.includes(told.audited.event.purpose ?? '') ? 'voluntary' : 'required';
    events.push({ ...event, meta: { ...event.meta, tag: [{ system: 'urn:causeway:accounting', code }] } });
  }
  return events;
}

/** To whom something was disclosed by an event, by key; undefined where nothing was. */
function recipientOf({ audited }: Told, isParticipant: (key: string) => boolean): string | undefined {
  const { event, entry } = audited;
  if (event.status >= 300 || givingNothing.includes(event.action)) return undefined;
  if (event.action === 'deliver') return deliveredTo(entry) ?? 'unknown';
  // Whoever has a link says who it is.
  if (event.action === 'open-health-link') return entry.reason ?? 'unknown';
  if (own.includes(event.role)) return event.client;
  const isOwn = ownOrganizations.includes(event.organization) || ownRoles.includes(event.role);
  if (isOwn && !isParticipant(event.organization)) return event.client;
  return event.organization;
}

function among({ participants }: SeenParts): (key: string) => boolean {
  const keys = new Set(participants.all().map(({ key }) => key));
  return (key) => keys.has(key);
}

async function recipientNamed(
  names: Names,
  addresses: ReadonlyMap<string, string>,
  key: string,
  client: string | undefined,
): Promise<DisclosureLine['recipient']> {
  const name = key === client ? await names.client(key) : names.organization(key);
  const address = addresses.get(key);
  return { key, name, ...(address === undefined ? {} : { address }) };
}

/** The addresses of organisations, as far as they told them. */
async function addressesOf({ database }: SeenParts): Promise<Map<string, string>> {
  const { rows } = await database.query<{ participant: string; organization: Organization }>(
    'SELECT participant, organization FROM brand',
  );
  return new Map(
    rows.flatMap(({ participant, organization: { address: [address] = [] } }): [string, string][] => {
      if (!address) return [];
      const { line = [], city, state, postalCode, country } = address;
      const text = [...line, [city, state, postalCode].filter(Boolean).join(' '), country].filter(Boolean).join(', ');
      return text === '' ? [] : [[participant, text]];
    }),
  );
}

interface Organization {
  address?: { line?: string[]; city?: string; state?: string; postalCode?: string; country?: string }[];
}

function summaryOf(lines: readonly DisclosureLine[]): DisclosureSummary[] {
  const groups = Map.groupBy(lines, ({ recipient, purpose }) => `${recipient.key} ${purpose?.code ?? ''}`);
  return [...groups.values()].map((group) => {
    const [latest] = group as [DisclosureLine];
    return {
      recipient: latest.recipient.name,
      ...(latest.purpose ? { purpose: latest.purpose.words } : {}),
      count: group.length,
      first: group.at(-1)!.at,
      last: latest.at,
      isRequired: latest.isRequired,
    };
  });
}

function asSentence(text: string): string {
  return text === '' ? '' : text[0]!.toUpperCase() + text.slice(1);
}
