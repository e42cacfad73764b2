-- The tree over the events of the audit log (docs/audit.md): one row that the sequencer locks while it adds to it.
CREATE TABLE audit_tree (
  id           boolean     PRIMARY KEY DEFAULT true CHECK (id),
  -- The name of the log, and how it is called now: another name with each restore that was accepted.
  name         text        NOT NULL,
  origin       text        NOT NULL,
  size         bigint      NOT NULL DEFAULT 0,
  root         bytea       NOT NULL,
  -- The latest signed checkpoint, and when that was.
  checkpoint   text,
  signed       timestamptz,
  -- Why nothing is signed.
  refused      text,
  -- Up to where the tree was found to be right, its root there, when that was, and what was found wrong.
  verified     bigint      NOT NULL DEFAULT 0,
  verified_root bytea,
  verified_at  timestamptz,
  wrong        text
);
-- Hashes as C2SP tlog-tiles has them; a full tile never changes.
CREATE TABLE audit_tile (
  level        smallint    NOT NULL,
  index        bigint      NOT NULL,
  hashes       bytea       NOT NULL,
  PRIMARY KEY (level, index)
);
ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
-- The keys that sign checkpoints; one that is being replaced signs besides until it ends.
CREATE TABLE audit_key (
  number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  verifier     text        NOT NULL UNIQUE,
  wrapped      bytea       NOT NULL,
  made         timestamptz NOT NULL DEFAULT clock_timestamp(),
  ends         timestamptz
);
-- Restores of an older state that an administrator accepted: the log goes on under another origin.
CREATE TABLE audit_restore (
  number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom      text        NOT NULL,
  -- The head of the log before, as it was published, and to what size it was restored.
  checkpoint   text        NOT NULL,
  origin       text        NOT NULL,
  size         bigint      NOT NULL
);
