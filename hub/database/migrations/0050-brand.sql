-- The brands by which users recognise where their record is: Organizations as their owners describe them. The participant ''
-- is the network itself.
CREATE TABLE brand (
  participant   text PRIMARY KEY,
  organization  jsonb NOT NULL,
  changed       timestamptz NOT NULL DEFAULT now()
);
