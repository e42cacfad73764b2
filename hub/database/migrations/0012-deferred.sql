-- Requests that are answered later (Prefer: respond-async): jobs like those of bulk data. `status` is the HTTP status of
-- a request that was refused.
ALTER TABLE bulk_job DROP CONSTRAINT bulk_job_kind_check;
ALTER TABLE bulk_job ADD CONSTRAINT bulk_job_kind_check CHECK (kind IN ('export', 'import', 'request'));
ALTER TABLE bulk_job ADD COLUMN status smallint;
