-- The authorization server: its keys, the clients, what users allowed them, and what was handed out. Of handles (codes,
-- tokens, cookies) the SHA-256 is stored.

-- Keys that sign id tokens; the private key (a JSON Web Key) is sealed under the master key.
CREATE TABLE oauth_key (
  kid      text PRIMARY KEY,
  alg      text NOT NULL,
  sealed   bytea NOT NULL,
  created  timestamptz NOT NULL
);

-- Clients with their RFC 7591 metadata. `organization` is the participant for which a client without users acts.
CREATE TABLE oauth_client (
  id             text PRIMARY KEY,
  name           text NOT NULL,
  state          text NOT NULL CHECK (state IN ('pending', 'active', 'suspended')),
  organization   text NOT NULL,
  metadata       jsonb NOT NULL,
  registered     timestamptz NOT NULL DEFAULT now(),
  registered_by  text
);
CREATE INDEX oauth_client_by_time ON oauth_client (registered);
CREATE INDEX oauth_client_pending ON oauth_client (registered) WHERE state = 'pending';

-- What a user allowed a client. `context`: {"patient": …, "encounter": …, "fhirUser": …}; without one it is good for nothing.
CREATE TABLE oauth_grant (
  id        text PRIMARY KEY,
  client    text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
  username  text NOT NULL REFERENCES account ON DELETE CASCADE,
  payload   jsonb NOT NULL,
  context   jsonb,
  created   timestamptz NOT NULL DEFAULT now(),
  expires   timestamptz NOT NULL
);
CREATE INDEX oauth_grant_by_user ON oauth_grant (username, created);
CREATE INDEX oauth_grant_by_client ON oauth_grant (client);
CREATE INDEX oauth_grant_expires ON oauth_grant (expires);

-- Codes, tokens, sessions, interactions, used assertion ids. What came of a grant goes with it.
CREATE TABLE oauth_artifact (
  kind      text NOT NULL,
  id        bytea NOT NULL,
  grant_id  text REFERENCES oauth_grant ON DELETE CASCADE,
  uid       text,
  payload   jsonb NOT NULL,
  consumed  timestamptz,
  expires   timestamptz NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX oauth_artifact_by_grant ON oauth_artifact (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX oauth_artifact_by_uid ON oauth_artifact (uid) WHERE uid IS NOT NULL;
CREATE INDEX oauth_artifact_expires ON oauth_artifact (expires);

-- An app that is being started from the hub's own pages.
CREATE TABLE oauth_launch (
  id         bytea PRIMARY KEY,
  client     text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
  username   text NOT NULL REFERENCES account ON DELETE CASCADE,
  patient    text NOT NULL,
  encounter  text,
  expires    timestamptz NOT NULL
);
CREATE INDEX oauth_launch_expires ON oauth_launch (expires);

-- How often something was tried, as rate-limiter-flexible counts.
CREATE TABLE rate_limit (
  key     varchar(255) PRIMARY KEY,
  points  integer NOT NULL DEFAULT 0,
  expire  bigint
);
