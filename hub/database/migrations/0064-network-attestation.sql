-- On what ground another hub was asked about a person, and when it was told so.
ALTER TABLE peer_person ADD COLUMN ground text NOT NULL DEFAULT 'said by who asks', ADD COLUMN attested_at timestamptz;
