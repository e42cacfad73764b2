/**
 * Lists of the people for whom an organisation cares: uploaded by its own clinicians, or by those who look after persons; first to
 * see what would be taken, then to take it.
 */
import type { Group } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { csvRows, groupRows, type PanelRow, type Panels } from '../care/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Participant, Participants } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, object } from './body.ts';

export interface PanelRouteParts {
  panels: Panels;
  participants: Participants;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

type Key = { Params: { key: string } };

const uploaders = ['clinician', 'steward', 'administrator'];

export function panelRoutes(app: FastifyInstance, parts: PanelRouteParts): void {
  const { panels, participants, authenticator, accessLog } = parts;

  const open = async (request: FastifyRequest<Key>, action: string) => {
    const who = await authenticator.inPerson(request, uploaders, action);
    const participant = participants.all().find(({ key }) => key === request.params.key);
    if (!participant || !mayUpload(who, participant)) {
      throw new RecordError(404, 'not-found', 'There is no organisation of this key whose list you may see.');
    }
    return { who, participant };
  };

  app.get<Key>('/api/participants/:key/panel', async (request) => {
    const { who, participant } = await open(request, 'open-panel');
    const [lists, members] = await Promise.all([panels.list(participant.key), panels.members(participant.key, who)]);
    const patients = members.map(({ patient }) => patient);
    await accessLog.record(who, { action: 'open-panel', what: participant.key, status: 200, patients });
    return { name: participant.name, lists, members };
  });

  app.post<Key>('/api/participants/:key/panel/preview', async (request) => {
    const { who, participant } = await open(request, 'preview-panel');
    const seen = await panels.preview(participant, await rowsOf(request, participant), who);
    const patients = seen.flatMap(({ patient }) => patient ?? []);
    await accessLog.record(who, { action: 'preview-panel', what: participant.key, status: 200, patients });
    return { rows: seen };
  });

  app.post<Key>('/api/participants/:key/panel', async (request) => {
    const { who, participant } = await open(request, 'take-panel');
    if (who.role === 'clinician' && (who.relation !== undefined || who.purpose !== 'TREAT')) {
      const text =
        'Where it counts who treats whom, stewards take lists: they would prove a relationship to everybody on them.';
      throw new RecordError(403, 'forbidden', text);
    }
    return panels.take(participant, await rowsOf(request, participant), who);
  });
}

/** Clinicians those of their own organisation. */
function mayUpload({ role, organization, limits }: Caller, { key, name }: Participant): boolean {
  return role !== 'clinician' || limits.own === key || organization === key || organization === name;
}

/** @throws RecordError 400 where the body is no list */
async function rowsOf(request: FastifyRequest, { identifierSystem }: Participant): Promise<PanelRow[]> {
  const body = jsonBody(request);
  if (typeof body.csv !== 'string' && body.group === undefined) {
    throw new RecordError(400, 'required', 'The body needs csv, a text, or group, a FHIR Group.', 'csv');
  }
  const rows =
    typeof body.csv === 'string'
      ? await csvRows(body.csv)
      : groupRows(object(body.group, 'group') as unknown as Group, identifierSystem);
  if ('wrong' in rows) throw new RecordError(400, 'value', rows.wrong);
  return rows;
}
