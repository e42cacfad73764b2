-- What a user allowed without offline_access ends with the sign-in in which it was allowed.
DELETE FROM oauth_grant WHERE context ? 'session';
ALTER TABLE oauth_grant ADD COLUMN session bytea REFERENCES session ON DELETE CASCADE;
CREATE INDEX oauth_grant_by_session ON oauth_grant (session) WHERE session IS NOT NULL;
