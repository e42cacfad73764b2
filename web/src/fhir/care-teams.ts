/**
 * Care teams as words. Each document that an organisation sends may bring one of its own, so that one team is on record
 * many times: those of one organisation that say the same are one line.
 */
import type { CareTeam, CareTeamParticipant } from '@medplum/fhirtypes';
import { conceptsText, conceptText, normalText } from './concepts.ts';
import { formatPeriod, newestFirst } from './dates.ts';
import { nameText, preferredName } from './people.ts';
import { factsOf, type PersonRecord, resolve } from './record.ts';
import { sourceOf } from './source.ts';

export interface CareTeamLine {
  /** What the team is called or for, `''` where nothing says so. */
  name: string;
  /** `Ana Lopez (primary care physician)`, each once; none where nobody is named. */
  members: string[];
  /** The organisations that answer for it. */
  organisations: string;
  period: string;
  /** The status in words where the team does not stand, else `''`. */
  status: string;
  /** All statements that say this, the newest first. */
  statements: CareTeam[];
}

/** The care teams of a record, those with members first, the newest first. */
export function mergeCareTeams(record: PersonRecord): CareTeamLine[] {
  const lines = new Map<string, CareTeamLine>();
  for (const team of factsOf(record, 'CareTeam').toSorted((a, b) => newestFirst(statedAt(a), statedAt(b)))) {
    const said = wordsOf(record, team);
    const key = normalText(JSON.stringify([sourceOf(team).key, said]));
    const line = lines.get(key);
    if (line) line.statements.push(team);
    else lines.set(key, { ...said, statements: [team] });
  }
  return [...lines.values()].sort((a, b) => Number(b.members.length > 0) - Number(a.members.length > 0));
}

function statedAt({ period, meta }: CareTeam): string | undefined {
  return period?.start ?? meta?.lastUpdated;
}

function wordsOf(record: PersonRecord, team: CareTeam): Omit<CareTeamLine, 'statements'> {
  const organisations = (team.managingOrganization ?? []).map((one) => referredName(record, team, one));
  return {
    name: team.name ?? conceptsText(team.category),
    members: distinct((team.participant ?? []).map((one) => memberText(record, team, one))),
    organisations: distinct(organisations).join(', '),
    period: formatPeriod(team.period),
    status: !team.status || team.status === 'active' ? '' : team.status,
  };
}

/** `''` for the person itself, and for members of whom nothing is said. */
function memberText(record: PersonRecord, team: CareTeam, { member, role, onBehalfOf }: CareTeamParticipant): string {
  if (member?.reference?.startsWith('Patient/')) return '';
  const who = referredName(record, team, member);
  const as = distinct((role ?? []).map((concept) => conceptText(concept))).join(', ');
  const forWhom = referredName(record, team, onBehalfOf);
  const text = who && as ? `${who} (${as})` : who || as;
  return text && forWhom && forWhom !== who ? `${text}, ${forWhom}` : text || forWhom;
}

/** What whatever a reference names is called: the resource's own name, else the reference's. */
function referredName(
  record: PersonRecord,
  holder: CareTeam,
  reference: { reference?: string; display?: string } | undefined,
): string {
  const found = resolve(record, reference?.reference, holder);
  switch (found?.resourceType) {
    case 'Practitioner':
    case 'RelatedPerson':
      return nameText(preferredName(found.name)) || (reference?.display ?? '');
    case 'Organization':
    case 'CareTeam':
      return found.name ?? reference?.display ?? '';
    case 'PractitionerRole': {
      const who = referredName(record, holder, found.practitioner) || referredName(record, holder, found.organization);
      return who || (reference?.display ?? '');
    }
    default:
      return reference?.display ?? '';
  }
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts.filter(Boolean))];
}
