-- Disposition notifications that are owed for Direct mail that was taken; gone when they are sent, or given up.
CREATE TABLE direct_notice (
  id            uuid        PRIMARY KEY,
  created       timestamptz NOT NULL,
  recipient     text        NOT NULL,
  -- Of the recipient, as PEM: for whom it is encrypted.
  certificate   text        NOT NULL,
  original      text        NOT NULL,
  disposition   text        NOT NULL CHECK (disposition IN ('processed', 'dispatched')),
  attempts      integer     NOT NULL DEFAULT 0,
  next_attempt  timestamptz NOT NULL
);
CREATE INDEX direct_notice_due ON direct_notice (next_attempt);
