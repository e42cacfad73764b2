-- Whose each resource is that was taken from a FHIR server: what is deleted there stands in one lane with what it takes back.
ALTER TABLE connector_item ADD COLUMN patient text;
