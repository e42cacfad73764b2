/**
 * For which organisations a client of a trust community may ask, and which participant each is here: an administrator says so.
 * An organisation that a client names for the first time is noted, and waits.
 */
import type { Database } from '../../database/index.ts';
import { RecordError } from '../../record/index.ts';

/** An organisation for which a client asks. */
export interface ClientOrganization {
  /** Its URI in the community. */
  organization: string;
  name: string | undefined;
  /** The participant's key; undefined while it waits. */
  participant: string | undefined;
  asked: string;
}

const mostNamed = 100;

/** The participant that an organisation is for a client; undefined where nobody said so, which is noted. */
export async function participantOf(
  database: Database,
  client: string,
  { organization, organizationName }: { organization: string; organizationName?: string },
): Promise<string | undefined> {
  const { rows } = await database.query(
    'SELECT participant FROM oauth_client_organization WHERE client = $1 AND organization = $2',
    [client, organization],
  );
  if (rows[0]) return rows[0].participant ?? undefined;
  await database.query(
    `INSERT INTO oauth_client_organization (client, organization, name)
     SELECT $1, $2, $3 WHERE (SELECT count(*) FROM oauth_client_organization WHERE client = $1) < $4
     ON CONFLICT DO NOTHING`,
    [client, organization, organizationName ?? null, mostNamed],
  );
  return undefined;
}

/** Says which participant an organisation is, or takes it back. @throws RecordError 404 for a client of no community */
export async function setParticipant(
  database: Database,
  client: string,
  organization: string,
  participant: string | undefined,
  by: string,
): Promise<void> {
  const { rowCount } = await database.query(
    `INSERT INTO oauth_client_organization (client, organization, participant, decided_by, decided)
     SELECT id, $2, $3, $4, now() FROM oauth_client WHERE id = $1 AND metadata ? 'udap_uri'
     ON CONFLICT (client, organization) DO UPDATE SET participant = excluded.participant,
       decided_by = excluded.decided_by, decided = excluded.decided`,
    [client, organization, participant ?? null, by],
  );
  if (rowCount === 0) throw new RecordError(404, 'not-found', 'There is no client of a trust community of this id.');
}
