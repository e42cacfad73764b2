/** QEDm: PCC-44 Mobile Query Existing Data. */
import type { Json } from '../../hub/testing-calls.ts';
import { asXml, type Case, demand, fhirJson, found, same, type World } from './world.ts';

const at = 'PCC-44 2:3.44.4';
const loinc = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
const category = (code: string) => [{ coding: [{ system: 'urn:category', code }] }];

const resources: Record<string, Json> = {
  Observation: {
    status: 'final',
    code: loinc,
    category: category('laboratory'),
    effectiveDateTime: '2024-03-01T10:00:00Z',
  },
  AllergyIntolerance: { code: { text: 'Peanut' } },
  Condition: {
    code: { text: 'Asthma' },
    category: category('problem'),
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
  },
  DiagnosticReport: {
    status: 'final',
    code: loinc,
    category: category('LAB'),
    effectiveDateTime: '2024-03-01T10:00:00Z',
  },
  MedicationStatement: { status: 'active', medicationReference: { reference: 'Medication/q-drug' } },
  MedicationRequest: { status: 'active', intent: 'order', medicationReference: { reference: 'Medication/q-drug' } },
  Immunization: { status: 'completed', vaccineCode: { text: 'MMR' }, occurrenceDateTime: '2020-01-01' },
  Procedure: { status: 'completed', code: { text: 'Appendectomy' }, performedDateTime: '2024-03-01T10:00:00Z' },
  Encounter: {
    status: 'finished',
    class: { code: 'AMB' },
    period: { start: '2024-03-01T10:00:00Z', end: '2024-03-01T11:00:00Z' },
  },
};
const byPatient = ['AllergyIntolerance', 'Immunization'];

const stored = new WeakMap<World, Promise<void>>();

function filled(world: World): Promise<void> {
  const before = stored.get(world);
  if (before) return before;
  const made = store(world);
  stored.set(world, made);
  return made;
}

async function store({ hub, patient }: World): Promise<void> {
  const put = async (resource: Json) => {
    const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource, {
      headers: fhirJson,
    });
    demand(status === 201, `${resource.resourceType} was answered ${status}: ${text.slice(0, 200)}`);
  };
  await put({ resourceType: 'Medication', id: 'q-drug', code: { text: 'Ibuprofen' } });
  for (const [resourceType, more] of Object.entries(resources)) {
    const isPatient = [...byPatient].includes(resourceType);
    await put({ resourceType, id: 'q', [isPatient ? 'patient' : 'subject']: { reference: patient }, ...more });
  }
  const target = [{ reference: 'Observation/q' }];
  const agent = [{ who: { display: 'somebody' } }];
  await put({ resourceType: 'Provenance', id: 'q', target, recorded: '2024-03-01T10:00:00Z', agent });
}

function asks(section: string, type: string, parameters: string, searches: Record<string, boolean>): Case {
  return {
    place: `${at}.1.2.1.${section}`,
    asks: `${type} by ${parameters}`,
    async run(world) {
      await filled(world);
      for (const [search, isThere] of Object.entries(searches)) {
        const all = await found(world, `${type}?patient=${world.patient}${search}`);
        same(
          all.some(({ id }) => id === 'q'),
          isThere,
          `${type}${search}`,
        );
      }
    },
  };
}

const dates = (parameter: string) => ({
  [`&${parameter}=ge2024-03-01`]: true,
  [`&${parameter}=le2024-03-01`]: true,
  [`&${parameter}=gt2024-03-02`]: false,
  [`&${parameter}=lt2024-03-01`]: false,
});
const withCategory = (code: string, searches: Record<string, boolean>) =>
  Object.fromEntries(Object.entries(searches).map(([search, isThere]) => [`&category=${code}${search}`, isThere]));

function includes(type: string): Case {
  return {
    place: `${at}.1.2.1.5`,
    asks: `${type} by patient, its Medication included`,
    async run(world) {
      await filled(world);
      const { json } = await world.hub.get(`/fhir/${type}?patient=${world.patient}&_include=${type}:medication`);
      const types = json.entry.map(({ resource, search }: Json) => `${resource.resourceType} ${search.mode}`);
      same(types, [`${type} match`, 'Medication include'], 'what is found');
    },
  };
}

export const qedm: Case[] = [
  ...['Observation', 'DiagnosticReport'].flatMap((type): Case[] => {
    const [section, code] = type === 'Observation' ? ['1', 'laboratory'] : ['4', 'LAB'];
    return [
      asks(section!, type, 'patient and category', { [`&category=${code}`]: true, '&category=other': false }),
      asks(
        section!,
        type,
        'patient, category and code',
        withCategory(code!, { '&code=718-7': true, '&code=1-1': false }),
      ),
      asks(section!, type, 'patient, category and date', withCategory(code!, dates('date'))),
    ];
  }),
  asks('2', 'AllergyIntolerance', 'patient', { '': true }),
  asks('3', 'Condition', 'patient', { '': true }),
  asks('3', 'Condition', 'patient and category', { '&category=problem': true, '&category=other': false }),
  asks('3', 'Condition', 'patient and clinical-status', {
    '&clinical-status=active': true,
    '&clinical-status=resolved': false,
  }),
  includes('MedicationStatement'),
  includes('MedicationRequest'),
  asks('6', 'Immunization', 'patient', { '': true }),
  asks('7', 'Procedure', 'patient', { '': true }),
  asks('7', 'Procedure', 'patient and date', dates('date')),
  asks('8', 'Encounter', 'patient', { '': true }),
  asks('8', 'Encounter', 'patient and date', dates('date')),
  {
    place: `${at}.1.2.1.9, ${at}.1.3`,
    asks: 'Provenance comes with what it is of, and is found by it',
    async run(world) {
      await filled(world);
      const { json } = await world.hub.get(
        `/fhir/Observation?patient=${world.patient}&category=laboratory&_revinclude=Provenance:target`,
      );
      demand(
        json.entry.some(({ resource }: Json) => resource.resourceType === 'Provenance'),
        'it does not come',
      );
      same((await found(world, 'Provenance?target=Observation/q')).length, 1, 'by its target');
    },
  },
  {
    place: `${at}.1.2.2`,
    asks: ':exact is understood of strings, and a modifier that is not supported is refused',
    async run({ hub }) {
      same((await hub.get('/fhir/Patient?family:exact=Ormonde')).status, 200, ':exact');
      same((await hub.get('/fhir/Observation?date:exact=2024')).status, 400, 'a modifier that there is not');
    },
  },
  {
    place: `${at}.1.2.3`,
    asks: 'answers are in JSON and in XML',
    async run(world) {
      await filled(world);
      const { text } = await world.hub.get(`/fhir/Observation?patient=${world.patient}`, { headers: asXml });
      demand(text.includes('<Bundle') && text.includes('<Observation'), 'there is no XML');
    },
  },
  {
    place: `${at}.2.2`,
    asks: 'nothing is 200 and a Bundle; an error is an HTTP status with an OperationOutcome',
    async run({ hub, patient }) {
      const none = await hub.get(`/fhir/Procedure?patient=${patient}&date=gt2100`);
      same([none.status, none.json.resourceType, none.json.entry], [200, 'Bundle', undefined], 'nothing');
      const wrong = await hub.get(`/fhir/Procedure?patient=${patient}&date=never`);
      same([wrong.status, wrong.json.resourceType], [400, 'OperationOutcome'], 'a wrong date');
    },
  },
  {
    place: `${at}.3`,
    asks: 'the CapabilityStatement tells of the resources and their parameters',
    async run({ hub }) {
      const { json } = await hub.get('/fhir/metadata');
      for (const type of Object.keys(resources)) {
        const told = json.rest[0].resource.find((one: Json) => one.type === type);
        demand(
          told?.searchParam.some(({ name }: Json) => name === 'patient'),
          type,
        );
      }
    },
  },
];
