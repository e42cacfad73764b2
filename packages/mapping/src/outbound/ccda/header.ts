/** The US realm header: who wrote and keeps the document, and the care or stay it tells of. */
import type { CodeableConcept, Composition, Reference, RelatedPerson, Resource } from '@medplum/fhirtypes';
import { type CdaElement, el } from './element.ts';
import { assignedEntity, informant, organizationRole, partyOf } from './participants.ts';
import { address, addresses, personName, telecoms } from './people.ts';
import { code, fixed, ids, interval, time } from './values.ts';
import type { Writer } from './writer.ts';

const CONFIDENTIALITY = '2.16.840.1.113883.5.25';

/** The software that wrote the document, for the organization that keeps the record. */
export function documentAuthor(writer: Writer): CdaElement {
  const { custodian, software, time: when } = writer.options;
  return el(
    'author',
    {},
    time('time', when),
    el(
      'assignedAuthor',
      {},
      ids(custodian),
      addresses(custodian.address),
      telecoms(custodian.telecom),
      el(
        'assignedAuthoringDevice',
        {},
        el('manufacturerModelName', {}, software.manufacturer),
        el('softwareName', {}, software.name),
      ),
      organizationRole('representedOrganization', custodian),
    ),
  );
}

export function custodian({ options }: Writer): CdaElement {
  const { custodian: keeper } = options;
  return el(
    'custodian',
    {},
    el(
      'assignedCustodian',
      {},
      el(
        'representedCustodianOrganization',
        {},
        ids(keeper),
        keeper.name === undefined ? el('name', { nullFlavor: 'UNK' }) : el('name', {}, keeper.name),
        telecoms(keeper.telecom).slice(0, 1),
        addresses(keeper.address).slice(0, 1),
      ),
    ),
  );
}

/** Which version of which document it is. */
export function versionOf({ options: { version } }: Writer): CdaElement[] {
  if (version === undefined) return [];
  return [el('setId', { ...version.setId }), el('versionNumber', { value: String(version.number) })];
}

/** The version whose place it takes, if it is not the first. */
export function relatedDocument({ options: { version } }: Writer): CdaElement | undefined {
  if (version?.replaces === undefined) return undefined;
  const { setId, replaces } = version;
  return el(
    'relatedDocument',
    { typeCode: 'RPLC' },
    el(
      'parentDocument',
      {},
      el('id', { root: replaces.id }),
      el('setId', { ...setId }),
      el('versionNumber', { value: String(replaces.number) }),
    ),
  );
}

/** Whom a referral note is for: the first whom its request names. */
export function informationRecipient(writer: Writer): CdaElement {
  const { referral } = writer;
  const [who] = referral?.performer ?? [];
  const party = who && partyOf(writer, who, referral);
  const name = party?.person?.name?.[0] ?? (party?.display === undefined ? undefined : { text: party.display });
  const organization = party?.organization;
  return el(
    'informationRecipient',
    {},
    el(
      'intendedRecipient',
      {},
      party?.ids,
      el('informationRecipient', {}, personName(name)),
      organization !== undefined &&
        el('receivedOrganization', {}, ids(organization), el('name', {}, organization.name ?? 'unknown')),
    ),
  );
}

const INFORMANT = 'http://hl7.org/fhir/us/ccda/StructureDefinition/InformantExtension';

/** Who gave information for the documents that the record was made of. */
export function informants(writer: Writer): CdaElement[] {
  const told = new Map<string, Reference>();
  for (const { extension } of writer.chart.all<Composition>('Composition')) {
    for (const { url, valueReference } of extension ?? []) {
      if (url === INFORMANT && valueReference?.reference !== undefined)
        told.set(valueReference.reference, valueReference);
    }
  }
  return [...told.values()].map((who) => informant(writer, { who }));
}

/** Relatives and friends whom the record names. */
export function relatedPersons(writer: Writer): CdaElement[] {
  const persons = writer.chart.all<RelatedPerson>('RelatedPerson');
  return persons
    .filter(({ name }) => name !== undefined)
    .map((one) => {
      const kin = one.relationship?.find((concept) =>
        concept.coding?.some(({ system }) => system?.endsWith('v3-RoleCode')),
      );
      return el(
        'participant',
        { typeCode: 'IND' },
        el(
          'associatedEntity',
          { classCode: classOf(one.relationship) },
          ids(one),
          (kin ?? one.relationship?.[0]) && code('code', kin ?? one.relationship![0]),
          addresses(one.address),
          telecoms(one.telecom),
          el('associatedPerson', {}, (one.name ?? []).map(personName)),
        ),
      );
    });
}

/** The role class of a relative by what FHIR says of the relationship. */
function classOf(relationship: readonly CodeableConcept[] = []): string {
  const codes = relationship.flatMap(({ coding = [] }) => coding.map(({ code: value }) => value));
  if (codes.includes('C')) return 'ECON';
  if (codes.includes('N')) return 'NOK';
  return 'PRS';
}

/** The care that the document tells of: since the first thing that happened, until now. */
export function careProvided(writer: Writer): CdaElement {
  const { patient } = writer.chart;
  const { time: now } = writer.options;
  const { stay } = writer;
  const since = stay?.period?.start ?? earliest(writer.chart.resources) ?? patient.birthDate;
  const practitioners = patient.generalPractitioner ?? [];
  const known = since !== undefined && since.length >= 10;
  return el(
    'documentationOf',
    {},
    el(
      'serviceEvent',
      { classCode: 'PCPR' },
      interval('effectiveTime', { low: known ? since : undefined, high: stay?.period?.end ?? now }),
      practitioners.map((who) => performerOf(writer, who, patient)),
    ),
  );
}

function performerOf(writer: Writer, who: Reference, holder: Resource): CdaElement {
  const primary = fixed('functionCode', 'PCP', '2.16.840.1.113883.5.88', 'Primary Care Provider');
  return el('performer', { typeCode: 'PRF' }, primary, assignedEntity(partyOf(writer, who, holder)));
}

/** The first day on which an encounter began, or a problem, or a measurement was made. */
function earliest(resources: readonly Resource[]): string | undefined {
  let first: string | undefined;
  for (const resource of resources) {
    const { period, effectiveDateTime, performedDateTime, occurrenceDateTime } = resource as {
      period?: { start?: string };
      effectiveDateTime?: string;
      performedDateTime?: string;
      occurrenceDateTime?: string;
    };
    for (const when of [period?.start, effectiveDateTime, performedDateTime, occurrenceDateTime]) {
      if (when !== undefined && when.length >= 10 && (first === undefined || when < first)) first = when;
    }
  }
  return first?.slice(0, 10);
}

/** The stay that a discharge summary is of. */
export function encompassingEncounter(writer: Writer): CdaElement {
  const { stay } = writer;
  const disposition = stay?.hospitalization?.dischargeDisposition;
  const place = writer.chart.find(stay?.location?.[0]?.location, stay);
  const found = place?.resourceType === 'Location' ? place : undefined;
  const attending = stay?.participant?.find(({ individual }) => individual !== undefined)?.individual;
  return el(
    'componentOf',
    {},
    el(
      'encompassingEncounter',
      {},
      stay === undefined ? el('id', { nullFlavor: 'UNK' }) : ids(stay),
      stay && code('code', stay.class?.code === undefined ? stay.type?.[0] : { coding: [stay.class] }),
      interval('effectiveTime', { low: stay?.period?.start, high: stay?.period?.end, highFlavor: 'UNK' }),
      code('dischargeDispositionCode', disposition),
      attending && el('responsibleParty', {}, assignedEntity(partyOf(writer, attending, stay))),
      found !== undefined &&
        el(
          'location',
          {},
          el(
            'healthCareFacility',
            {},
            ids(found),
            found.type?.[0] && code('code', found.type[0]),
            el('location', {}, el('name', {}, found.name ?? 'unknown'), found.address && address(found.address)),
          ),
        ),
    ),
  );
}

export function confidentiality(): CdaElement {
  return fixed('confidentialityCode', 'N', CONFIDENTIALITY, 'normal');
}
