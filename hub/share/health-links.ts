/**
 * SMART Health Links (https://hl7.org/fhir/uv/smart-health-cards-and-links): files that the person's browser encrypted, behind
 * an address of 256 random bits of which only the SHA-256 is kept. The key is in the link alone; nothing here can open a file.
 */
import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Database } from '../database/index.ts';
import { type HomeKeys, newId, open, seal } from '../record/index.ts';

export interface SharedFile {
  contentType: string;
  /** JSON Web Encryption in its compact form. */
  jwe: string;
}

export interface NewLink {
  /** The Patient and the home under which it is filed, and the account that makes it. */
  patient: string;
  home: number;
  by: string;
  label: string | undefined;
  /** Of the letters L, P and U, in this order. */
  flag: string;
  passcode: string | undefined;
  expires: Date | undefined;
}

/** A link as those see it who made it. */
export interface HealthLink {
  id: string;
  label: string | undefined;
  flag: string;
  by: string;
  made: Date;
  expires: Date | undefined;
  revoked: Date | undefined;
  attemptsLeft: number;
  files: { contentType: string; bytes: number; updated: Date }[];
  uses: { at: Date; outcome: string; recipient: string | undefined }[];
}

/** What a manifest tells of one file. */
export interface ListedFile {
  contentType: string;
  updated: Date;
  embedded?: string;
  /** A token that is good for one request. */
  token?: string;
}

export type Opened =
  | { kind: 'inactive' }
  | { kind: 'passcode'; link: string; patient: string; attemptsLeft: number }
  | { kind: 'manifest'; link: string; patient: string; isLongTerm: boolean; files: ListedFile[] }
  | { kind: 'file'; link: string; patient: string; jwe: string };

interface Row {
  id: string;
  patient: string;
  home: number;
  flag: string;
  passcode: string | null;
  attempts_left: number;
}

/** Wrong passcodes over the whole life of a link. */
const attempts = 10;
const locationMinutes = 15;
/** What is longer is not embedded where nothing is asked for. */
const embeddedByDefault = 256 * 1024;
const usesShown = 200;
const argon2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const active = `revoked IS NULL AND attempts_left > 0 AND (expires IS NULL OR expires > now())`;

export class HealthLinks {
  readonly #database: Database;
  readonly #keys: HomeKeys;

  constructor({ database, keys }: { database: Database; keys: HomeKeys }) {
    this.#database = database;
    this.#keys = keys;
  }

  /** Makes a link without files. The address is told this once. What links that are over hold is taken away meanwhile. */
  async make({ patient, home, by, label, flag, passcode, expires }: NewLink): Promise<{ id: string; address: string }> {
    const [id, address] = [newId(), randomBytes(32).toString('base64url')];
    const hashed = passcode === undefined ? null : await hash(passcode, argon2);
    await this.#database.query(
      'DELETE FROM health_link_file f USING health_link l WHERE l.id = f.link AND (l.expires < now() OR l.attempts_left = 0)',
    );
    await this.#database.query(
      `INSERT INTO health_link (id, patient, home, address, flag, label, made_by, passcode, attempts_left, expires)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        id,
        patient,
        home,
        digest(address),
        flag,
        label === undefined ? null : await this.#seal(home, label, `health-link-label/${id}`),
        by,
        hashed,
        attempts,
        expires ?? null,
      ],
    );
    return { id, address };
  }

  /** Puts files in the place of those that a link has; false where there is no such link that is active. */
  async put(id: string, homes: readonly number[], files: readonly SharedFile[]): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const { rows } = await transaction.query(
        `SELECT id FROM health_link WHERE id = $1 AND home = ANY($2) AND ${active} FOR UPDATE`,
        [id, homes],
      );
      if (rows.length === 0) return false;
      await transaction.query('DELETE FROM health_link_file WHERE link = $1', [id]);
      await transaction.query(
        `INSERT INTO health_link_file (link, number, content_type, jwe)
         SELECT $1, n, t, j FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS f (t, j, n)`,
        [id, files.map(({ contentType }) => contentType), files.map(({ jwe }) => jwe)],
      );
      return true;
    });
  }

  /** Ends a link and takes its files away; false where it was ended before, or there is none. */
  async revoke(id: string, homes: readonly number[]): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query(
        'UPDATE health_link SET revoked = now() WHERE id = $1 AND home = ANY($2) AND revoked IS NULL',
        [id, homes],
      );
      await transaction.query(
        `DELETE FROM health_link_file f USING health_link l WHERE l.id = f.link AND l.id = $1 AND l.home = ANY($2)`,
        [id, homes],
      );
      return rowCount === 1;
    });
  }

  /** The links of a person, the newest first, with who opened them. */
  async of(homes: readonly number[]): Promise<HealthLink[]> {
    const { rows } = await this.#database.query(
      `SELECT l.*,
              (SELECT coalesce(jsonb_agg(jsonb_build_object('type', content_type, 'bytes', length(jwe), 'at', updated)
                      ORDER BY number), '[]') FROM health_link_file WHERE link = l.id) AS files,
              (SELECT coalesce(jsonb_agg(u ORDER BY u.id DESC), '[]') FROM (
                 SELECT id, at, outcome, encode(recipient, 'base64') AS recipient FROM health_link_use
                 WHERE link = l.id ORDER BY id DESC LIMIT ${usesShown}) u) AS uses
       FROM health_link l WHERE home = ANY($1) ORDER BY made DESC`,
      [homes],
    );
    const keys = await this.#keys.load(this.#database, homes);
    return rows.map((row) => {
      const key = keys.get(row.home);
      const words = (sealed: Buffer | null, identity: string) =>
        sealed && key ? open(sealed, key, identity).toString() : undefined;
      return {
        id: row.id,
        label: words(row.label, `health-link-label/${row.id}`),
        flag: row.flag,
        by: row.made_by,
        made: row.made,
        expires: row.expires ?? undefined,
        revoked: row.revoked ?? undefined,
        attemptsLeft: row.attempts_left,
        files: row.files.map((file: { type: string; bytes: number; at: string }) => ({
          contentType: file.type,
          bytes: file.bytes,
          updated: new Date(file.at),
        })),
        uses: row.uses.map((use: { at: string; outcome: string; recipient: string | null }) => ({
          at: new Date(use.at),
          outcome: use.outcome,
          recipient: words(use.recipient ? Buffer.from(use.recipient, 'base64') : null, `health-link-use/${row.id}`),
        })),
      };
    });
  }

  /** The link of an address, as far as it is active; what is asked of it is counted by that. */
  async idOf(address: string): Promise<string | undefined> {
    return (await this.#find(address))?.id;
  }

  /**
   * Opens a link by its address. A try by a passcode is taken from those that are left before it is looked at, and given back
   * where it was right: many at once are no more than one after the other.
   */
  async openManifest(
    address: string,
    asked: { recipient: string; passcode: string | undefined; embeddedLengthMax: number | undefined },
  ): Promise<Opened> {
    const found = await this.#find(address);
    if (!found || found.flag.includes('U')) return { kind: 'inactive' };
    const { id, patient } = found;
    if (found.passcode !== null) {
      if (asked.passcode === undefined)
        return { kind: 'passcode', link: id, patient, attemptsLeft: found.attempts_left };
      const attemptsLeft = await this.#takeAttempt(id);
      if (attemptsLeft === undefined) return { kind: 'inactive' };
      if (!(await verify(found.passcode, asked.passcode))) {
        await this.#note(found, 'wrong passcode', asked.recipient);
        return { kind: 'passcode', link: id, patient, attemptsLeft };
      }
      await this.#database.query('UPDATE health_link SET attempts_left = attempts_left + 1 WHERE id = $1', [id]);
    }
    await this.#note(found, 'opened', asked.recipient);
    const files = await this.#listed(id, asked.embeddedLengthMax ?? embeddedByDefault);
    return { kind: 'manifest', link: id, patient, isLongTerm: found.flag.includes('L'), files };
  }

  /** Opens a link of one file (flag U). */
  async openFile(address: string, recipient: string): Promise<Opened> {
    const found = await this.#find(address);
    if (!found?.flag.includes('U')) return { kind: 'inactive' };
    const { rows } = await this.#database.query('SELECT jwe FROM health_link_file WHERE link = $1 ORDER BY number', [
      found.id,
    ]);
    if (rows.length === 0) return { kind: 'inactive' };
    await this.#note(found, 'opened', recipient);
    return { kind: 'file', link: found.id, patient: found.patient, jwe: rows[0]!.jwe };
  }

  /** The file of a location, which is used up by that; undefined where it was used, is over, or its link is no longer active. */
  async take(token: string): Promise<string | undefined> {
    const { rows } = await this.#database.query(
      `WITH used AS (DELETE FROM health_link_location WHERE token = $1 RETURNING link, number, expires)
       SELECT f.jwe FROM used JOIN health_link l ON l.id = used.link AND ${active.replaceAll('expires', 'l.expires')}
       JOIN health_link_file f ON f.link = used.link AND f.number = used.number WHERE used.expires > now()`,
      [digest(token)],
    );
    return rows[0]?.jwe;
  }

  async #find(address: string): Promise<Row | undefined> {
    const { rows } = await this.#database.query({
      name: 'health_link_find',
      text: `SELECT id, patient, home, flag, passcode, attempts_left FROM health_link WHERE address = $1 AND ${active}`,
      values: [digest(address)],
    });
    const [row] = rows as unknown as Row[];
    // Where the person's key was destroyed, its links are over too.
    if (!row || !(await this.#keys.load(this.#database, [row.home])).has(row.home)) return undefined;
    return row;
  }

  async #takeAttempt(id: string): Promise<number | undefined> {
    const { rows } = await this.#database.query(
      `UPDATE health_link SET attempts_left = attempts_left - 1 WHERE id = $1 AND ${active} RETURNING attempts_left`,
      [id],
    );
    return rows[0]?.attempts_left;
  }

  /** Files as a manifest lists them: within its length, or at an address that is good for one request. */
  async #listed(link: string, longest: number): Promise<ListedFile[]> {
    await this.#database.query('DELETE FROM health_link_location WHERE expires < now()');
    const { rows } = await this.#database.query(
      `SELECT number, content_type, updated, length(jwe) AS length, CASE WHEN length(jwe) <= $2 THEN jwe END AS jwe
       FROM health_link_file WHERE link = $1 ORDER BY number`,
      [link, longest],
    );
    return Promise.all(
      rows.map(async ({ number, content_type: contentType, updated, jwe }) => {
        if (jwe !== null) return { contentType, updated, embedded: jwe };
        const token = randomBytes(32).toString('base64url');
        await this.#database.query(
          `INSERT INTO health_link_location (token, link, number, expires)
           VALUES ($1, $2, $3, now() + interval '${locationMinutes} minutes')`,
          [digest(token), link, number],
        );
        return { contentType, updated, token };
      }),
    );
  }

  async #note({ id, home }: Row, outcome: string, recipient: string): Promise<void> {
    const sealed = await this.#seal(home, recipient, `health-link-use/${id}`);
    await this.#database.query('INSERT INTO health_link_use (link, outcome, recipient) VALUES ($1, $2, $3)', [
      id,
      outcome,
      sealed,
    ]);
  }

  async #seal(home: number, text: string, identity: string): Promise<Buffer> {
    const key = (await this.#keys.load(this.#database, [home])).get(home);
    if (!key) throw new Error('The key of this record was destroyed; nothing can be added to it.');
    return seal(text, key, identity);
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
