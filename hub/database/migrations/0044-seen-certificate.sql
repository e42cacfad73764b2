-- Certificates by which participants connected, so that they can be told before these end.
CREATE TABLE seen_certificate (
  -- SHA-256, hexadecimal with colons
  fingerprint  text        PRIMARY KEY,
  participant  text        NOT NULL,
  subject      text        NOT NULL,
  expires      timestamptz NOT NULL,
  seen         timestamptz NOT NULL
);
