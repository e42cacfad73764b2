-- Whom a destination was told of that has no Patient of the person: under whose numbers, those of the source patient of this
-- home. What it was told under them is followed up under them.
CREATE TABLE introduction (
  destination  text        NOT NULL,
  route        text        NOT NULL,
  home         bigint      NOT NULL,
  at           timestamptz NOT NULL,
  PRIMARY KEY (home, destination, route)
);
