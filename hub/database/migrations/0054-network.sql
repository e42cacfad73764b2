-- Other hubs: where each is asked, and whom it was asked about.
CREATE TABLE peer (
  participant   text        PRIMARY KEY,
  url           text        NOT NULL,
  client_id     text        NOT NULL,
  scope         text        NOT NULL,
  changed       timestamptz NOT NULL DEFAULT now()
);

-- A person whom another hub was asked about, and how far what it holds was fetched.
CREATE TABLE peer_person (
  id            uuid        PRIMARY KEY,
  peer          text        NOT NULL,
  -- A record of the person that no hub told, under which it was asked.
  home          bigint      NOT NULL,
  patient       text        NOT NULL,
  asked_by      text        NOT NULL,
  asked_at      timestamptz NOT NULL DEFAULT now(),
  state         text        NOT NULL CHECK (state IN ('asking', 'nothing', 'apart', 'followed', 'failed', 'ended')),
  -- The Patient of the other hub, and the one that stands for it here.
  remote        text,
  taken_as      text,
  -- What the other hub changed up to then was fetched; when all was fetched for the last time.
  since         timestamptz,
  whole_at      timestamptz,
  resources     integer     NOT NULL DEFAULT 0,
  -- What of the answer is known to be missing; why it failed.
  partial       text,
  reason        text,
  attempts      integer     NOT NULL DEFAULT 0,
  due           timestamptz DEFAULT now(),
  -- The Subscriptions at the other hub, and the SHA-256 of what its notifications show.
  subscriptions text[]      NOT NULL DEFAULT '{}',
  secret        bytea,
  updated       timestamptz NOT NULL DEFAULT now(),
  UNIQUE (peer, home)
);
CREATE INDEX peer_person_due ON peer_person (due) WHERE due IS NOT NULL;
CREATE INDEX peer_person_by_home ON peer_person (home);
