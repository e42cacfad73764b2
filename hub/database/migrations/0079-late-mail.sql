-- Of how many late loops a mailbox is still to be told, and from when on; `round` counts its mails.
CREATE TABLE late_mail (
  mailbox       text        PRIMARY KEY,
  waiting       integer     NOT NULL,
  round         integer     NOT NULL DEFAULT 0,
  next_attempt  timestamptz NOT NULL DEFAULT now()
);
