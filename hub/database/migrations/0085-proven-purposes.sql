-- What was looked at without proof of a relationship is told apart by purpose: not for treatment alone.
ALTER TABLE unproven_access ADD COLUMN purpose text NOT NULL DEFAULT 'TREAT';
ALTER TABLE unproven_access DROP CONSTRAINT unproven_access_pkey;
ALTER TABLE unproven_access ADD PRIMARY KEY (day, organization, username, patient, purpose);
