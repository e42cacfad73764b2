-- Search parameters that the guides of IHE name beside those of R4 (MHD 4.2, ITI-66 and ITI-67; PDQm 3.2, ITI-78), and those by
-- which chains find what is contained. They have no SearchParameter resources. What was stored before is indexed in the background.
INSERT INTO search_parameter (rid, definition, state, since)
SELECT rid::uuid, definition::json, CASE WHEN c.seq = 0 THEN 'active' ELSE 'indexing' END, c.seq
FROM clock c, (VALUES
  ('1e500000-0000-8000-8000-000000000001', '{"code":"designationType","type":"token","url":"https://profiles.ihe.net/ITI/MHD/SearchParameter/List-DesignationType","base":["List"],"expression":"List.extension(''https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType'').value.ofType(CodeableConcept)"}'),
  ('1e500000-0000-8000-8000-000000000002', '{"code":"sourceId","type":"token","url":"https://profiles.ihe.net/ITI/MHD/SearchParameter/List-SourceId","base":["List"],"expression":"List.extension(''https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId'').value.ofType(Identifier)"}'),
  ('1e500000-0000-8000-8000-000000000003', '{"code":"creation","type":"date","url":"https://profiles.ihe.net/ITI/MHD/SearchParameter/DocumentReference-Creation","base":["DocumentReference"],"expression":"DocumentReference.content.attachment.creation"}'),
  ('1e500000-0000-8000-8000-000000000004', '{"code":"mothersMaidenName","type":"string","url":"http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-mothersMaidenName","base":["Patient"],"expression":"Patient.extension(''http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName'').value.ofType(string)"}'),
  ('1e500000-0000-8000-8000-000000000005', '{"code":"author.given","type":"string","url":"urn:causeway:SearchParameter:contained-author-given","base":["DocumentReference"],"expression":"DocumentReference.author.resolve().ofType(Practitioner).name.given"}'),
  ('1e500000-0000-8000-8000-000000000006', '{"code":"author.family","type":"string","url":"urn:causeway:SearchParameter:contained-author-family","base":["DocumentReference"],"expression":"DocumentReference.author.resolve().ofType(Practitioner).name.family"}'),
  ('1e500000-0000-8000-8000-000000000007', '{"code":"source.given","type":"string","url":"urn:causeway:SearchParameter:contained-source-given","base":["List"],"expression":"List.source.resolve().ofType(Practitioner).name.given"}'),
  ('1e500000-0000-8000-8000-000000000008', '{"code":"source.family","type":"string","url":"urn:causeway:SearchParameter:contained-source-family","base":["List"],"expression":"List.source.resolve().ofType(Practitioner).name.family"}')
) AS p (rid, definition);

UPDATE clock SET parameters = parameters + 1;
