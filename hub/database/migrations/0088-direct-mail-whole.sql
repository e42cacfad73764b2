-- A mail is noted before it is kept itself, so that an erasure of somebody in it finds it at any time.
ALTER TABLE direct_mail ADD COLUMN is_whole boolean NOT NULL DEFAULT true;
