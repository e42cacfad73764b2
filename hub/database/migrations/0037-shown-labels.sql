-- Labels that the hub put on are given out and searched by (hub/record/search/security.ts): those of
-- packages/access/src/label-bits.ts but 1, not yet labelled. Few resources have any.
CREATE INDEX resource_labelled ON resource (type, home, rkey DESC) INCLUDE (labels) WHERE labels & 4094 <> 0;

-- `$meta` tells of them too.
INSERT INTO label (type, kind, system, code)
SELECT l.type, 'security', 'http://terminology.hl7.org/CodeSystem/' || known.system, known.code
FROM (SELECT type, bit_or(labels) AS labels FROM resource WHERE labels & 4094 <> 0 GROUP BY type) l
JOIN (VALUES (2, 'v3-ActCode', '42CFRPart2'), (4, 'v3-ActCode', 'PSYTHPN'), (8, 'v3-ActCode', 'ETHUD'),
  (16, 'v3-ActCode', 'PSY'), (32, 'v3-ActCode', 'HIV'), (64, 'v3-ActCode', 'STD'), (128, 'v3-ActCode', 'SDV'),
  (256, 'v3-ActCode', 'SEX'), (512, 'v3-ActCode', 'GDIS'), (1024, 'v3-Confidentiality', 'R'),
  (2048, 'v3-Confidentiality', 'V')) AS known (bit, system, code) ON l.labels & known.bit <> 0
ON CONFLICT DO NOTHING;
