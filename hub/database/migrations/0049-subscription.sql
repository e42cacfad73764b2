-- FHIR Subscriptions: who wants to be told of what, what they are to be told, and how far that is done. The wish itself is
-- the Subscription resource; here is what the hub makes of it.
CREATE TABLE subscription (
  rid           uuid        PRIMARY KEY,
  id            text        NOT NULL,
  -- The version of the resource that says what is wanted; those in which the hub notes the state do not count.
  version       integer     NOT NULL,
  -- Who may see the resource, and on whose behalf everything is looked at that is told.
  owner         text        NOT NULL,
  asker         jsonb       NOT NULL,
  state         text        NOT NULL CHECK (state IN ('requested', 'active', 'error', 'off')),
  reason        text,
  -- Changes after this one count; unknown until the hub first looks at it.
  since         bigint,
  -- The last event that was numbered, and the last one that the channel took.
  events        bigint      NOT NULL DEFAULT 0,
  told          bigint      NOT NULL DEFAULT 0,
  failures      integer     NOT NULL DEFAULT 0,
  next_attempt  timestamptz NOT NULL DEFAULT now(),
  last_sent     timestamptz,
  ends          timestamptz
);
CREATE INDEX subscription_by_owner ON subscription (owner);

CREATE TABLE subscription_event (
  subscription  uuid        NOT NULL,
  number        bigint      NOT NULL,
  kind          text        NOT NULL CHECK (kind IN ('create', 'update', 'delete')),
  type          smallint    NOT NULL,
  rid           uuid        NOT NULL,
  id            text        NOT NULL,
  version       integer     NOT NULL,
  at            timestamptz NOT NULL,
  PRIMARY KEY (subscription, number)
);
CREATE INDEX subscription_event_by_time ON subscription_event (at);

-- How far the changes of the record have been looked at, by their numbers.
CREATE TABLE subscription_feed (
  one  boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq  bigint  NOT NULL
);
INSERT INTO subscription_feed (seq) SELECT seq FROM clock;
