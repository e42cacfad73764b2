-- Participants, accounts, sessions, and the record of every access.

-- An organisation on the network. HL7 v2 senders are known by MSH-4 (and MSH-3). `endpoint` says how it is sent to:
-- {"dialect": "hl7v2" | "fhir", "host": …, "port": …} or {"dialect": "fhir", "url": …}.
CREATE TABLE participant (
  key                   text PRIMARY KEY,
  name                  text NOT NULL,
  kind                  text NOT NULL,
  sending_facility      text,
  sending_application   text,
  identifier_system     text,
  identifier_authority  text,
  settings              jsonb NOT NULL DEFAULT '{}',
  endpoint              jsonb
);
CREATE INDEX participant_by_facility ON participant (sending_facility);

CREATE TABLE account (
  username      text PRIMARY KEY,
  password      text NOT NULL,
  name          text NOT NULL,
  role          text NOT NULL,
  organization  text NOT NULL,
  failures      integer NOT NULL DEFAULT 0,
  locked_until  timestamptz
);

CREATE TABLE session (
  id        bytea PRIMARY KEY,
  username  text NOT NULL REFERENCES account,
  created   timestamptz NOT NULL,
  expires   timestamptz NOT NULL
);

-- One row holds the accesses that were committed together: [{who, organization, role, purpose, what, patient, at, …}].
CREATE TABLE access_log (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  entries  jsonb NOT NULL
);
CREATE FUNCTION access_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the access log is append-only';
END $$;
CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE ON access_log
  FOR EACH ROW EXECUTE FUNCTION access_log_is_append_only();
CREATE TRIGGER access_log_no_truncate BEFORE TRUNCATE ON access_log
  FOR EACH STATEMENT EXECUTE FUNCTION access_log_is_append_only();

-- What a hub remembers between starts.
CREATE TABLE hub_state (
  key    text PRIMARY KEY,
  value  jsonb NOT NULL
);
