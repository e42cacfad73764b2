-- Suspensions of what a person is told of disclosures to an agency (45 CFR 164.528(a)(2)). `recipient` is the organisation,
-- client or account as the audit log names it.
CREATE TABLE accounting_hold (
  id         uuid        PRIMARY KEY,
  patient    text        NOT NULL,
  recipient  text        NOT NULL,
  statement  text        NOT NULL CHECK (statement IN ('written', 'oral')),
  evidence   text        NOT NULL,
  by_whom    text        NOT NULL,
  made       timestamptz NOT NULL DEFAULT now(),
  until      timestamptz NOT NULL,
  ended      timestamptz,
  ended_by   text,
  CHECK (statement = 'written' OR until <= made + interval '30 days 1 hour')
);
CREATE INDEX accounting_hold_by_patient ON accounting_hold (patient);
