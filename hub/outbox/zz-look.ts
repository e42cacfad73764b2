import { parseMessage } from '@causeway/hl7v2';
import { messages } from '@causeway/region';
import { convertV2, convertCcda, convertFhir } from '@causeway/mapping';
const seen: any = {};
for (const m of messages({people: 40, seed: 1})) {
  const k = m.site + ' ' + (m.dialect==='hl7v2' ? m.body.split('\r')[0].split('|').slice(8,9)[0] : m.dialect);
  seen[k] = (seen[k] ?? 0) + 1;
  if (process.argv[2] === k && seen[k] === Number(process.argv[3] ?? 1)) { console.log(m.body.slice(0,6000).replaceAll('\r','\n')); 
   if (m.dialect==='hl7v2'){ const c:any = convertV2(parseMessage(Buffer.from(m.body)) as any, {source: m.site, receivedAt: '2026-01-01T00:00:00Z', messageUri:'urn:x', identifierSystems:{}, timeZone:'-05:00'} as any);
   console.log(JSON.stringify(c.facts ?? c,null,1)); } }
}
console.log(seen);
