/**
 * The CapabilityStatement (https://hl7.org/fhir/R4/capabilitystatement.html) and TerminologyCapabilities: what this
 * server does, made from the addresses that are registered and the parameters that searches understand.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compartmentTypes, resourceTypes, type SearchParameter, searchParameters } from '@causeway/fhir';
import { auditEventParameters, auditEventProfiles } from '../accesses/index.ts';
import { type FhirRecord, removedAtOnce } from '../record/index.ts';
import { topics } from '../subscriptions/index.ts';
import type { FhirAddresses, RegisteredOperation } from './fhir-addresses.ts';

export type CapabilityMode = 'full' | 'normative' | 'terminology';

export interface Capability {
  text: string;
  /** Changes whenever the text does. */
  etag: string;
}

/** Statements for a hub, each made when it is asked for and kept for a moment. */
export class Capabilities {
  readonly #record: FhirRecord;
  readonly #addresses: FhirAddresses;
  readonly #kept = new Map<CapabilityMode, { parts: string[]; until: number; generation: string }>();

  constructor(record: FhirRecord, addresses: FhirAddresses) {
    this.#record = record;
    this.#addresses = addresses;
  }

  /** @param issuer the address of the authorization server */
  statement(mode: CapabilityMode, base: string, issuer: string): Capability {
    let kept = this.#kept.get(mode);
    const { generation } = this.#record.parameters;
    if (!kept || kept.until < Date.now() || kept.generation !== generation) {
      const statement =
        mode === 'terminology' ? terminologyCapabilities() : capabilityStatement(this.#record, this.#addresses, mode);
      kept = { parts: JSON.stringify(statement).split(basePlace), until: Date.now() + keptMs, generation };
      this.#kept.set(mode, kept);
    }
    const text = kept.parts.join(inJson(base)).replaceAll(issuerPlace, inJson(issuer));
    return { text, etag: `W/"${createHash('sha256').update(text).digest('hex').slice(0, 20)}"` };
  }
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const keptMs = 30_000;
/** Stands where the base URL goes, which differs with the name that a client knows the hub by. */
const basePlace = 'urn:causeway:base';
const issuerPlace = 'urn:causeway:issuer';
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
/** Where apps are authorized, for those that read it here (SMART App Launch 1.0, "Declaring support for OAuth2 endpoints"). */
const oauthUris = {
  url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
  extension: ['authorize', 'token', 'register', 'introspect', 'revoke'].map((url) => ({
    url,
    valueUri: `${issuerPlace}/${url}`,
  })),
};
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport';
const ihe = 'https://profiles.ihe.net';
/** The actors of IHE that the hub is (docs/ihe.md). */
const iheActors = [
  ...['Comprehensive', 'UnContained', 'Simplified', 'Generate'].map(
    (option) => `${ihe}/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.${option}`,
  ),
  `${ihe}/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentResponder`,
  `${ihe}/ITI/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplier`,
  `${ihe}/ITI/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplierMatch`,
  `${ihe}/ITI/PIXm/CapabilityStatement/IHE.PIXm.Manager`,
  `${ihe}/PCC/QEDm/CapabilityStatement/IHE.QEDm.Clinical-Data-Source`,
];
const securityServices = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
const written = '2026-11-25';

function head(resourceType: string) {
  return {
    resourceType,
    status: 'active',
    date: written,
    publisher: 'Causeway',
    kind: 'instance',
    software: { name: 'Causeway', version },
    implementation: { description: 'Causeway healthcare interoperability hub', url: basePlace },
  };
}

function capabilityStatement(record: FhirRecord, addresses: FhirAddresses, mode: CapabilityMode): object {
  const operations = addresses.operations();
  const patches = addresses.has('PATCH', '/fhir/:type/:id');
  const referring = new Map<string, string[]>();
  for (const type of resourceTypes()) {
    for (const { code, target } of references(type)) {
      for (const one of target ?? []) referring.set(one, [...(referring.get(one) ?? []), `${type}:${code}`]);
    }
  }
  return {
    ...head('CapabilityStatement'),
    instantiates: [
      'http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data',
      `${backport}/CapabilityStatement/backport-subscription-server-r4`,
      ...iheActors,
    ],
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json', 'application/fhir+xml', 'xml'],
    ...(patches
      ? { patchFormat: ['application/json-patch+json', 'application/fhir+json', 'application/fhir+xml'] }
      : {}),
    rest: [
      {
        mode: 'server',
        documentation:
          'What is created or updated is stored as it was sent: white space between tokens goes, id and meta are the server’s, and nothing is merged. What cannot be stored so is refused. Parameters that are not understood are refused, or reported under Prefer: handling=lenient.',
        security: {
          extension: [oauthUris],
          cors: true,
          service: [{ coding: [{ system: securityServices, code: 'SMART-on-FHIR', display: 'SMART-on-FHIR' }] }],
          description: 'A bearer token, as .well-known/smart-configuration tells, or a session of the hub’s own pages.',
        },
        resource: listedTypes().map((type) => ({
          ...(type === 'Subscription' ? subscribing() : {}),
          ...(type === 'AuditEvent' ? auditing : {}),
          type,
          profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
          interaction: interactions(patches).map((code) => ({ code })),
          versioning: 'versioned-update',
          readHistory: true,
          updateCreate: true,
          ...(mode === 'normative'
            ? {}
            : {
                conditionalCreate: true,
                conditionalRead: 'full-support',
                conditionalUpdate: true,
                conditionalDelete: 'multiple',
              }),
          referencePolicy: ['literal', 'logical', 'local'],
          searchInclude: some(references(type).map(({ code }) => `${type}:${code}`)),
          searchRevInclude: referring.get(type),
          searchParam: searchParameters(type)
            .filter((parameter) => isUnderstood(record, type, parameter))
            .map(({ code, url, type: kind }) => ({ name: code, definition: url, type: kind })),
          operation: operationsOf(operations, type),
        })),
        interaction: [
          { code: 'transaction' },
          { code: 'batch' },
          { code: 'history-system' },
          {
            code: 'search-system',
            documentation: 'Over several types; without _sort each type’s matches come together.',
          },
        ],
        operation: some(operations.filter(({ level }) => level === 'system').map(operation)),
        compartment: compartmentTypes.map((type) => {
          const id = type === 'RelatedPerson' ? 'relatedPerson' : type.toLowerCase();
          return `http://hl7.org/fhir/CompartmentDefinition/${id}`;
        }),
      },
    ],
    description: `A conditional delete takes away at most ${removedAtOnce} resources; a Bundle has at most 10000 entries.`,
  };
}

/** What is told of the audit log (IHE Basic Audit Log Patterns). */
const auditing = {
  supportedProfile: auditEventProfiles,
  documentation: `Patients, those who act for them, privacy officers, auditors and administrators are told the entries of the audit log that they may see, one AuditEvent for each Patient: by read, and by search with ${auditEventParameters.join(', ')}, latest first. AuditEvents that clients stored are read by their ids.`,
};

/** What can be subscribed to (Subscriptions R5 Backport 1.1, "Topic discovery"). */
function subscribing(): object {
  return {
    extension: topics.map(({ url }) => ({
      url: `${backport}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical`,
      valueCanonical: url,
    })),
    supportedProfile: [`${backport}/StructureDefinition/backport-subscription`],
  };
}

/** The types that R4 has a code for: SubscriptionStatus, which came later, is stored but cannot be listed. */
function listedTypes(): string[] {
  return resourceTypes().filter((type) => type !== 'SubscriptionStatus');
}

function interactions(patches: boolean): string[] {
  return [
    'read',
    'vread',
    'update',
    ...(patches ? ['patch'] : []),
    'delete',
    'history-instance',
    'history-type',
    'create',
    'search-type',
  ];
}

/** A list that FHIR JSON may have: not an empty one. */
function some<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function references(type: string): SearchParameter[] {
  return searchParameters(type).filter((parameter) => parameter.type === 'reference');
}

function operationsOf(operations: RegisteredOperation[], type: string): object[] | undefined {
  const own = operations.filter((one) => one.level !== 'system' && (one.type ?? type) === type);
  const byName = new Map(own.map((one) => [one.name, one]));
  return some([...byName.values()].map(operation));
}

/** The definition of an operation: its own page in R4 is that of the type, of `Resource` for those of all types. */
function operation({ name, type, level }: RegisteredOperation): object {
  if (name === 'export') {
    const definition = level === 'system' ? name : `${type?.toLowerCase()}-${name}`;
    return { name, definition: `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${definition}` };
  }
  // Bulk import is a proposal; nothing is published for it.
  if (name === 'import') return { name, definition: 'urn:causeway:operation:import' };
  if (name === 'docref') return { name, definition: 'http://hl7.org/fhir/us/core/OperationDefinition/docref' };
  if (name === 'summary') return { name, definition: 'http://hl7.org/fhir/uv/ips/OperationDefinition/summary' };
  if (type === 'Subscription' && ['status', 'events', 'get-ws-binding-token'].includes(name))
    return { name, definition: `${backport}/OperationDefinition/backport-subscription-${name}` };
  if (name === 'ihe-pix') return { name, definition: `${ihe}/ITI/PIXm/OperationDefinition/IHE.PIXm.pix` };
  if (name === 'generate-metadata') return { name, definition: `${ihe}/ITI/MHD/OperationDefinition/generate-metadata` };
  if (ownOperations.includes(name)) return { name, definition: `urn:causeway:OperationDefinition:${name}` };
  const owner = level === 'system' ? 'Resource' : (type ?? 'Resource');
  return { name, definition: `http://hl7.org/fhir/OperationDefinition/${owner}-${name}` };
}

/** Operations that are this server's own. */
const ownOperations = ['expunge', 'retention', 'status'];

/** Whether a search by a parameter is taken, tried with a value of its type. */
function isUnderstood(record: FhirRecord, type: string, parameter: SearchParameter): boolean {
  const parts = parameter.components?.map(({ type: kind }) => samples[kind] ?? 'a') ?? [];
  const value = parameter.type === 'composite' ? parts.join('$') : (samples[parameter.type] ?? '1|1|1|km');
  try {
    record.readSearch(type, [[parameter.code, value]], false);
    return true;
  } catch {
    return false;
  }
}

const samples: Record<string, string> = {
  token: 'a',
  string: 'a',
  date: '2026-01-31',
  number: '1',
  quantity: '1',
  uri: 'urn:a',
  reference: 'Patient/a',
};

function terminologyCapabilities(): object {
  return {
    ...head('TerminologyCapabilities'),
    description: 'Codes are stored and found as they are sent; the hub expands no value sets and translates no codes.',
    codeSearch: 'explicit',
    validateCode: { translations: false },
  };
}
