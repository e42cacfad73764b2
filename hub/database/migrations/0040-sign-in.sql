-- Signing in: attempts that hold over all hubs, second factors, passkeys, an external provider, and what a session was
-- proved by.

-- Attempts that did not end in a sign-in, by the SHA-256 of the name that was tried, whether or not there is such an account.
CREATE TABLE sign_in_attempt (
  name          bytea       PRIMARY KEY,
  failures      integer     NOT NULL,
  locked_until  timestamptz,
  last          timestamptz NOT NULL
);
CREATE INDEX sign_in_attempt_by_time ON sign_in_attempt (last);

ALTER TABLE account
  DROP COLUMN failures, DROP COLUMN locked_until,
  -- None: it signs in by a passkey or an external provider only.
  ALTER COLUMN password DROP NOT NULL,
  -- The password was given by an administrator, and is good for choosing one's own.
  ADD COLUMN must_change boolean NOT NULL DEFAULT false,
  ADD COLUMN disabled boolean NOT NULL DEFAULT false,
  ADD COLUMN made timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- How authenticators know the account (WebAuthn's user handle).
  ADD COLUMN handle uuid NOT NULL DEFAULT gen_random_uuid(),
  -- RFC 6238: the secret, sealed; the time step that was used last, so that no code is good twice.
  ADD COLUMN totp bytea,
  ADD COLUMN totp_step bigint NOT NULL DEFAULT 0;

ALTER TABLE session
  ADD COLUMN number uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
  ADD COLUMN last_used timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When its user proved last who it is, and by what in this session: password, totp, recovery, passkey, external.
  ADD COLUMN proved timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN proofs text[] NOT NULL DEFAULT '{password}',
  -- What is still needed before it is good for anything: factor, password, enrol.
  ADD COLUMN pending text CHECK (pending IN ('factor', 'password', 'enrol')),
  ADD COLUMN agent text NOT NULL DEFAULT '';
CREATE INDEX session_by_user ON session (username);
CREATE INDEX session_expires ON session (expires);
-- A session's token is changed when its rights change; what apps hold with it stays.
ALTER TABLE oauth_grant DROP CONSTRAINT oauth_grant_session_fkey,
  ADD CONSTRAINT oauth_grant_session_fkey FOREIGN KEY (session) REFERENCES session
    ON UPDATE CASCADE ON DELETE CASCADE;

CREATE TABLE passkey (
  -- The credential's id, base64url.
  id          text        PRIMARY KEY,
  username    text        NOT NULL REFERENCES account ON DELETE CASCADE,
  public_key  bytea       NOT NULL,
  counter     bigint      NOT NULL,
  transports  text[]      NOT NULL,
  name        text        NOT NULL,
  made        timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used   timestamptz
);
CREATE INDEX passkey_by_user ON passkey (username);

-- Codes for whoever lost a second factor; each is good once. SHA-256 of 80 random bits.
CREATE TABLE recovery_code (
  username  text  NOT NULL REFERENCES account ON DELETE CASCADE,
  code      bytea NOT NULL,
  PRIMARY KEY (username, code)
);

-- What was handed to a browser and is good once: challenges for passkeys, a TOTP secret that waits for its first code,
-- requests to an external provider. By the SHA-256 of what the browser brings back.
CREATE TABLE sign_in_step (
  id        bytea       PRIMARY KEY,
  kind      text        NOT NULL,
  username  text        REFERENCES account ON DELETE CASCADE,
  value     jsonb       NOT NULL,
  expires   timestamptz NOT NULL
);
CREATE INDEX sign_in_step_expires ON sign_in_step (expires);

-- Accounts as an external provider knows them.
CREATE TABLE external_account (
  issuer    text        NOT NULL,
  subject   text        NOT NULL,
  username  text        NOT NULL REFERENCES account ON DELETE CASCADE,
  -- By the provider's claims, which decide role and organisation at each sign-in; otherwise its user connected it.
  mapped    boolean     NOT NULL,
  since     timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX external_account_by_user ON external_account (username);
