-- What else is open when an app is started, and what for (SMART App Launch 2.2, `fhirContext` and `intent`).
ALTER TABLE oauth_launch ADD COLUMN about text[] NOT NULL DEFAULT '{}';
ALTER TABLE oauth_launch ADD COLUMN intent text;
