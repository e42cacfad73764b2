/** FHIR R4 over HTTP (https://hl7.org/fhir/R4/http.html) on top of the record: every interaction's addresses. */
import type { FastifyInstance } from 'fastify';
import { fhirBinaryRoutes } from './fhir-binary-routes.ts';
import { fhirBundleRoutes } from './fhir-bundle-routes.ts';
import { type CapabilityParts, fhirCapabilityRoutes } from './fhir-capability-routes.ts';
import { fhirDocrefRoutes } from './fhir-docref-routes.ts';
import { fhirEverythingRoutes } from './fhir-everything-routes.ts';
import type { FhirParts } from './fhir-exchange.ts';
import { fhirExpungeRoutes } from './fhir-expunge-routes.ts';
import { fhirGraphqlRoutes } from './fhir-graphql-routes.ts';
import { fhirHistoryRoutes } from './fhir-history-routes.ts';
import { fhirMetaRoutes } from './fhir-meta-routes.ts';
import { fhirOperationRoutes } from './fhir-operation-routes.ts';
import { fhirPatchRoutes } from './fhir-patch-routes.ts';
import { fhirReadRoutes } from './fhir-read-routes.ts';
import { fhirSearchParameterRoutes } from './fhir-search-parameter-routes.ts';
import { fhirSearchRoutes } from './fhir-search-routes.ts';
import { fhirSubscriptionRoutes } from './fhir-subscription-routes.ts';
import { fhirSummaryRoutes } from './fhir-summary-routes.ts';
import { fhirWriteRoutes } from './fhir-write-routes.ts';
import { type IhePatientParts, ihePatientRoutes } from './ihe-patient-routes.ts';
import type { PublishParts } from './mhd-publish.ts';
import { mhdRoutes } from './mhd-routes.ts';

export type { FhirParts } from './fhir-exchange.ts';

export function fhirRoutes(
  app: FastifyInstance,
  parts: FhirParts & CapabilityParts & IhePatientParts & PublishParts,
): void {
  fhirCapabilityRoutes(app, parts);
  fhirReadRoutes(app, parts);
  fhirBinaryRoutes(app, parts);
  fhirHistoryRoutes(app, parts);
  fhirSearchRoutes(app, parts);
  fhirWriteRoutes(app, parts);
  fhirPatchRoutes(app, parts);
  fhirBundleRoutes(app, parts);
  fhirEverythingRoutes(app, parts);
  fhirDocrefRoutes(app, parts);
  fhirSummaryRoutes(app, parts);
  mhdRoutes(app, parts);
  ihePatientRoutes(app, parts);
  fhirOperationRoutes(app, parts);
  fhirMetaRoutes(app, parts);
  fhirExpungeRoutes(app, parts);
  fhirGraphqlRoutes(app, parts);
  fhirSearchParameterRoutes(app, parts);
  fhirSubscriptionRoutes(app, parts);
}
