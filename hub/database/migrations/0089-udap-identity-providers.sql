-- Identity providers of trust communities with which the hub is registered as a client (UDAP Tiered OAuth).
CREATE TABLE udap_identity_provider (
  -- The provider's base URL, which its ID tokens have as issuer.
  address       text        NOT NULL,
  -- URI of the community in which it is trusted.
  community     text        NOT NULL,
  redirect_uri  text        NOT NULL,
  client_id     text        NOT NULL,
  registered    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (address, community)
);
