-- Witnesses of the audit log, as far as they are configured, and how each stands (docs/audit.md).
CREATE TABLE audit_witness (
  verifier      text        PRIMARY KEY,
  name          text        NOT NULL,
  -- Which log of ours it cosigned last, up to which size, and when.
  origin        text        NOT NULL DEFAULT '',
  size          bigint      NOT NULL DEFAULT 0,
  cosigned      timestamptz,
  -- Since when it does not cosign what it is given, why, and whether that was told.
  failing       timestamptz,
  problem       text,
  told          boolean     NOT NULL DEFAULT false,
  -- What it says that cannot be unless the log was set back or forked.
  contradiction text
);
-- Checkpoints with their cosignatures: of each number of witnesses the latest.
CREATE TABLE audit_cosigned (
  origin        text        NOT NULL,
  size          bigint      NOT NULL,
  checkpoint    text        NOT NULL,
  -- The verifier keys of those who cosigned.
  witnesses     text[]      NOT NULL,
  PRIMARY KEY (origin, size)
);
-- As a witness of the logs of others: the key that cosigns, what of each log was cosigned last, and proof that one forked.
CREATE TABLE audit_witness_key (
  id            boolean     PRIMARY KEY DEFAULT true CHECK (id),
  verifier      text        NOT NULL UNIQUE,
  wrapped       bytea       NOT NULL,
  made          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit_witnessed (
  origin        text        PRIMARY KEY,
  size          bigint      NOT NULL,
  root          bytea       NOT NULL,
  checkpoint    text,
  at            timestamptz
);
CREATE TABLE audit_conflict (
  number        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  origin        text        NOT NULL,
  size          bigint      NOT NULL,
  -- Two checkpoints of one size that the log signed, with different roots.
  cosigned      text        NOT NULL,
  other         text        NOT NULL
);
