-- Clients of trust communities (UDAP): one for each URI within a community.
CREATE UNIQUE INDEX oauth_client_by_uri ON oauth_client ((metadata->>'udap_community'), (metadata->>'udap_uri'))
  WHERE metadata ? 'udap_uri';

-- For which organisations such a client asks without users, by their URIs, and which participant each is here. Without one it
-- waits for an administrator.
CREATE TABLE oauth_client_organization (
  client        text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
  organization  text NOT NULL,
  name          text,
  participant   text,
  asked         timestamptz NOT NULL DEFAULT now(),
  decided_by    text,
  decided       timestamptz,
  PRIMARY KEY (client, organization)
);
