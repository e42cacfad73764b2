-- What codes a network labels beside those of the hub's own table: value sets, each with its label and its codes as they
-- were. The latest version holds. Once it is entered whatever is stored is labelled by it (`clock.parameters` tells every
-- hub, hub/record/label-rules.ts); what was stored before is labelled anew in the background, `phase` and the place after it say how far.
CREATE TABLE label_rules (
  version     integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz  NOT NULL DEFAULT now(),
  by_whom     text         NOT NULL,
  reason      text         NOT NULL,
  sets        jsonb        NOT NULL,
  phase       smallint     NOT NULL DEFAULT 0,
  home        bigint,
  rkey        bigint,
  row_version integer,
  done        bigint       NOT NULL DEFAULT 0,
  changed     bigint       NOT NULL DEFAULT 0,
  total       bigint,
  finished    timestamptz
);
