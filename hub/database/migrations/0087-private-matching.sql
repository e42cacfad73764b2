-- How another hub is asked about a person; the secret of that is wrapped by the master key.
ALTER TABLE peer ADD COLUMN matching text NOT NULL DEFAULT 'plain' CHECK (matching IN ('plain', 'private'));
ALTER TABLE peer ADD COLUMN matching_key bytea;

-- What a source patient is found by without demographics, under the secret agreed on with a hub.
CREATE TABLE peer_token (
  participant   text    NOT NULL,
  home          bigint  NOT NULL,
  -- The digest of the demographics that were hashed, as in link.
  demographics  bigint  NOT NULL,
  tokens        bytea[] NOT NULL,
  PRIMARY KEY (home, participant)
);
CREATE INDEX peer_token_by_token ON peer_token USING gin (tokens);
