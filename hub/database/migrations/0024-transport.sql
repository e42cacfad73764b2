-- Application acknowledgements (HL7 v2, enhanced mode) that senders asked for in MSH-16. A row is made with its message.
-- due: the message is not finished, or the acknowledgement is not sent yet. sent: written to the sender's connection or
-- route. confirmed, refused: the sender acknowledged it, or refused it. unwanted: the sender wants none of this outcome.
-- kept: there is no way to the sender; it is sent when the sender connects.
CREATE TABLE application_ack (
  message       uuid PRIMARY KEY,
  source        text        NOT NULL,
  wish          text        NOT NULL,
  state         text        NOT NULL DEFAULT 'due'
                CHECK (state IN ('due', 'sent', 'confirmed', 'refused', 'unwanted', 'kept')),
  code          text,
  control_id    text,
  attempts      smallint    NOT NULL DEFAULT 0,
  -- From when on it is sent by the participant's endpoint; until then by the connection that the message came over.
  next_attempt  timestamptz NOT NULL,
  -- Since when somebody is sending it.
  claimed       timestamptz,
  sent          timestamptz,
  answered      timestamptz,
  error         text
);
CREATE INDEX application_ack_due ON application_ack (next_attempt) WHERE state = 'due';
CREATE INDEX application_ack_kept ON application_ack (source) WHERE state = 'kept';
CREATE INDEX application_ack_sent ON application_ack (control_id) WHERE state IN ('due', 'sent');

-- The sequence number protocol (MSH-13): per link (sending and receiving application and facility) the number that was
-- accepted last; null where the next one is taken as it comes.
CREATE TABLE sequence_link (
  link     text PRIMARY KEY,
  last     bigint,
  changed  timestamptz NOT NULL DEFAULT now()
);

-- kept: a message with nothing to process, such as an acknowledgement.
ALTER TABLE message DROP CONSTRAINT message_state_check;
ALTER TABLE message ADD CONSTRAINT message_state_check
  CHECK (state IN ('received', 'processed', 'failed', 'dead', 'refused', 'kept'));

-- The charset that the transport told (HL7 over HTTP), which then counts for MSH-18.
ALTER TABLE message ADD COLUMN charset text;

-- How an organisation is connected: certificates that stand for it, whether its sequence numbers count.
ALTER TABLE participant ADD COLUMN transport jsonb NOT NULL DEFAULT '{}';

-- accepted: an enhanced-mode destination has the message (CA) and has yet to say what came of it (AA, AE, AR).
ALTER TABLE delivery DROP CONSTRAINT delivery_state_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check
  CHECK (state IN ('waiting', 'delivered', 'failed', 'dead', 'cancelled', 'accepted'));

-- Destinations that take nothing now, so that each is told of once when it stops and once when it is back.
CREATE TABLE destination_down (
  destination  text PRIMARY KEY,
  since        timestamptz NOT NULL,
  reason       text NOT NULL
);
