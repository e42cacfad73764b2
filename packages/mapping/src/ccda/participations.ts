/**
 * Who took part in a statement: Provenance for each agent and time, places as an extension.
 */

import type { XmlElement } from '@causeway/ccda';
import type { Draft } from './draft.ts';
import { own } from './own.ts';
import { location, organizationOf, participant } from './participants.ts';
import type { Run } from './run.ts';
import { instantOf } from './time.ts';

const EVENT_LOCATION = 'http://hl7.org/fhir/StructureDefinition/event-location';

/** Kinds of a `participant`, by its typeCode. */
const PARTICIPANTS: Record<string, string> = {
  VRF: 'verifier',
  CST: 'custodian',
  ENT: 'enterer',
  AUT: 'author',
  INF: 'informant',
  LA: 'legal',
  AUTHEN: 'attester',
};

/** Who took part, by the kinds of agent that Provenance knows. */
const AGENTS: Record<string, string> = { author: 'author', informant: 'informant', performer: 'performer' };

/**
 * Authors of the statement and of the wrapper around it become Provenance; so do informants, performers and other
 * people for whom the resource itself had no element.
 */
export function recordParticipations(run: Run, element: XmlElement, draft: Draft): void {
  for (const child of element.children) {
    const place = child.name === 'participant' ? child.child('participantRole') : undefined;
    if (place?.attr('classCode') === 'SDLOC' && !run.owners.has(place)) {
      const where = location(run, place);
      if (where !== undefined)
        draft.put('extension[]', { url: EVENT_LOCATION, valueReference: run.referenceTo(where) });
      continue;
    }
    const kind = own(AGENTS, child.name);
    if (child.name === 'author') recordAgent(run, child, 'author', [draft]);
    else if (kind !== undefined || isPerson(child)) {
      const placed = run.placed.has(child) || child.children.some((role) => run.placed.has(role));
      if (!placed)
        recordAgent(run, child, kind ?? own(PARTICIPANTS, child.attr('typeCode') ?? '') ?? 'performer', [draft]);
    }
  }
}

/** A `participant` that is a person or an organization with a name, not a product, place or device. */
function isPerson(element: XmlElement): boolean {
  if (element.name !== 'participant') return false;
  const role = element.child('participantRole');
  if (role === undefined || ['SDLOC', 'MANU'].includes(role.attr('classCode') ?? '')) return false;
  const player = role.child('playingEntity');
  return player?.child('name') !== undefined && player.child('code') === undefined;
}

/** Notes who acted on the targets, and when; one Provenance is made for each agent and time in the end. */
export function recordAgent(run: Run, element: XmlElement, kind: string, targets: readonly Draft[]): void {
  run.account.rule = 'provenance';
  const who = participant(run, element);
  const stated = element.child('time');
  const value = stated?.attr('value');
  const at = value === undefined ? undefined : instantOf(value, run.zone);
  if (value !== undefined && at === undefined) {
    const reason = 'not a time stamp of the form YYYYMMDDHHMMSS+ZZzz, or no day of the calendar';
    run.account.rejected(stated!, 'value', reason);
    run.issue('warning', 'value', stated!, 'the time of the participation is left out: it is not a time stamp');
  }
  if (who === undefined && at === undefined) return;
  const key = `${kind}|${who?.reference ?? 'unnamed'}|${at ?? ''}`;
  let agency = run.agencies.get(key);
  if (agency === undefined) {
    agency = { kind, who, organization: organizationOf(run, element), time: at, targets: new Set(), times: [] };
    run.agencies.set(key, agency);
  }
  for (const target of targets) agency.targets.add(target);
  const place = at === undefined ? undefined : run.account.placeOf(stated!, 'value');
  if (place !== undefined) agency.times.push(place);
}
