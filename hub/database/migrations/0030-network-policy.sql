-- What the network has decided for everybody (docs/access.md): the latest row holds, those before it are its history.
CREATE TABLE network_policy (
  version  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom  text        NOT NULL,
  reason   text        NOT NULL,
  policy   jsonb       NOT NULL
);
