/** What a record states of allergies, problems, immunizations, procedures, devices, plans and directives. */
import type {
  AllergyIntolerance,
  CarePlan,
  ClinicalImpression,
  Condition,
  Consent,
  Device,
  DeviceUseStatement,
  DocumentReference,
  Immunization,
  Procedure,
} from '@medplum/fhirtypes';
import { type Chart, latestOfEach, newestFirst, timeOf } from './chart.ts';
import { categoryCodes, hasCode, NONE_KNOWN } from './codes.ts';
import { functionalStatus } from './observations.ts';
import type { Told } from './told.ts';
import { choice, conceptKey, conceptWords, dayWords, valueWords } from './words.ts';

export function allergies(chart: Chart): Told {
  const stated = chart
    .all<AllergyIntolerance>('AllergyIntolerance')
    .filter(({ verificationStatus }) => !hasCode(verificationStatus, 'entered-in-error', 'refuted'));
  return {
    entries: currentFirst(withoutContradicted(stated, NONE_KNOWN.allergies)).map((resource) => {
      const { code, reaction = [], criticality, clinicalStatus } = resource;
      const reactions = reaction.flatMap(({ manifestation, severity }) => {
        const seen = manifestation.map(conceptWords).join(', ');
        return severity === undefined ? seen : `${seen} (${severity})`;
      });
      const since = valueWords(choice(resource, 'onset')) || dayWords(timeOf(resource));
      return {
        resource,
        rows: [[nameOr(code), reactions.join('; '), criticality ?? '', conceptWords(clinicalStatus), since]],
      };
    }),
  };
}

function currentFirst<T extends AllergyIntolerance>(all: readonly T[]): T[] {
  const past = ({ clinicalStatus }: T) => hasCode(clinicalStatus, 'inactive', 'resolved');
  const ordered = newestFirst(all);
  return [...ordered.filter((one) => !past(one)), ...ordered.filter(past)];
}

/** That somebody has none is left out where the record tells of some. */
function withoutContradicted<T extends { code?: Condition['code'] }>(all: readonly T[], none: readonly string[]): T[] {
  const some = all.filter(({ code }) => !hasCode(code, ...none));
  return some.length > 0 ? some : [...all];
}

/** Problems that are there, or those that were; of those that say the same the one stated last. */
export function problems(chart: Chart, past: boolean): Told {
  const stated = chart
    .all<Condition>('Condition')
    .filter(({ verificationStatus }) => !hasCode(verificationStatus, 'entered-in-error', 'refuted'));
  const of = withoutContradicted(stated, NONE_KNOWN.problems).filter((one) => isPast(one) === past);
  const keyOf = ({ code, bodySite = [] }: Condition) => {
    const key = conceptKey(code);
    return key === undefined ? undefined : [key, ...bodySite.map((site) => conceptKey(site) ?? '')].join(' ');
  };
  return {
    entries: latestOfEach(of, keyOf).map((resource) => {
      const { code, severity, clinicalStatus } = resource;
      const since = valueWords(choice(resource, 'onset')) || dayWords(resource.recordedDate);
      return { resource, rows: [[nameOr(code), conceptWords(severity), conceptWords(clinicalStatus), since]] };
    }),
  };
}

/** A condition that does not say that it is over is taken to be there. */
function isPast(condition: Condition): boolean {
  const { clinicalStatus } = condition;
  if (clinicalStatus?.coding !== undefined) return hasCode(clinicalStatus, 'inactive', 'remission', 'resolved');
  return choice(condition, 'abatement') !== undefined;
}

export function immunizations(chart: Chart): Told {
  const given = chart.all<Immunization>('Immunization').filter(({ status }) => status === 'completed');
  return {
    entries: newestFirst(given).map((resource) => ({
      resource,
      rows: [[nameOr(resource.vaccineCode), valueWords(choice(resource, 'occurrence')), resource.lotNumber ?? '']],
    })),
  };
}

const DONE = ['completed', 'in-progress', 'stopped', 'unknown'];

export function procedures(chart: Chart): Told {
  const done = chart.all<Procedure>('Procedure').filter(({ status }) => DONE.includes(status));
  const keyOf = ({ code, bodySite = [] }: Procedure) => {
    const key = conceptKey(code);
    return key === undefined ? undefined : [key, ...bodySite.map((site) => conceptKey(site) ?? '')].join(' ');
  };
  return {
    entries: latestOfEach(done, keyOf).map((resource) => ({
      resource,
      rows: [[nameOr(resource.code), valueWords(choice(resource, 'performed')), resource.status]],
    })),
  };
}

/** Devices by the statements that they are used; a device that is said to be of the patient is one that is used, too. */
export function devices(chart: Chart, made: (name: string) => string): Told {
  const stated = chart
    .all<DeviceUseStatement>('DeviceUseStatement')
    .filter(({ status }) => status !== 'entered-in-error' && status !== 'intended');
  const told = new Set(stated.map(({ device }) => chart.find(device)));
  const own = chart
    .all<Device>('Device')
    .filter((device) => !told.has(device) && (device.status === 'active' || device.status === 'inactive'));
  const uses = own.map(
    (device) =>
      ({
        resourceType: 'DeviceUseStatement',
        id: made(`use of Device/${device.id}`),
        status: device.status === 'active' ? 'active' : 'completed',
        subject: { reference: `Patient/${chart.patient.id}` },
        device: { reference: `Device/${device.id}` },
      }) as DeviceUseStatement,
  );
  return {
    entries: [...newestFirst(stated), ...uses].map((resource) => {
      const device = chart.find<Device>(resource.device, resource);
      const name = conceptWords(device?.type) || device?.deviceName?.[0]?.name || resource.device.display;
      return {
        resource,
        rows: [[name ?? 'not stated', resource.status, valueWords(choice(resource, 'timing'))]],
      };
    }),
  };
}

export function plans(chart: Chart): Told {
  const open = chart.all<CarePlan>('CarePlan').filter(({ status }) => status === 'active' || status === 'on-hold');
  return {
    entries: newestFirst(open).map((resource) => {
      const { title, category = [], activity = [], status, period } = resource;
      const name = title ?? (category.map(conceptWords).filter(Boolean).join(', ') || 'not stated');
      const activities = activity.map(
        ({ detail, reference }) => conceptWords(detail?.code) || reference?.display || '',
      );
      const time = period === undefined ? '' : valueWords({ type: 'Period', value: period });
      return { resource, rows: [[name, activities.filter(Boolean).join('; '), status, time]] };
    }),
  };
}

export function functional(chart: Chart): Told {
  const made = chart.all<ClinicalImpression>('ClinicalImpression').filter(({ status }) => status === 'completed');
  return {
    entries: newestFirst(made).map((resource) => ({
      resource,
      rows: [[nameOr(resource.code), resource.summary ?? '', '', '', dayWords(timeOf(resource)), resource.status]],
    })),
    others: functionalStatus(chart),
  };
}

/** Types of documents, and categories of Consents, by which people say what is to be done when they cannot say it. */
const DIRECTIVES = ['42348-3', '64298-3', '81334-5', '86533-7', '75320-2', '84095-9', 'acd', 'dnr', 'hcd', 'emrgonly'];

export function directives(chart: Chart): Told {
  const consents = chart
    .all<Consent>('Consent')
    .filter((one) => one.status === 'active')
    .filter((one) => hasCode(one.scope, 'adr') || categoryCodes(one).some((code) => DIRECTIVES.includes(code)));
  const documents = chart
    .all<DocumentReference>('DocumentReference')
    .filter(({ status, type }) => status === 'current' && hasCode(type, ...DIRECTIVES));
  return {
    entries: newestFirst<Consent | DocumentReference>([...consents, ...documents]).map((resource) => {
      const name =
        resource.resourceType === 'Consent'
          ? resource.category.map(conceptWords).join(', ')
          : (resource.description ?? conceptWords(resource.type));
      return { resource, rows: [[name, resource.status, dayWords(timeOf(resource))]] };
    }),
  };
}

function nameOr(concept: Condition['code']): string {
  return conceptWords(concept) || 'not stated';
}
