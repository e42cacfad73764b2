/** The chart on one page: who, allergies first, then everything known over all organisations. */

import { Stack } from '@mantine/core';
import type { AllergyIntolerance, Condition, Observation, Resource, ResourceType } from '@medplum/fhirtypes';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Navigate } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { EmergencyBar } from '../emergency/emergency-bar.tsx';
import { EmergencyOf } from '../emergency/emergency-of.ts';
import { useEmergency } from '../emergency/emergency-query.ts';
import { summarizeAllergies } from '../fhir/allergies.ts';
import { mergeConditions } from '../fhir/conditions.ts';
import { mergeMedications } from '../fhir/medications.ts';
import { factsOf, otherTypes } from '../fhir/record.ts';
import { groupResults, observationKind } from '../fhir/results.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import { AllergyPanel } from './allergy-panel.tsx';
import { CarePanel } from './care-panel.tsx';
import { CareTeamPanel } from './care-team-panel.tsx';
import { ConditionPanel } from './condition-panel.tsx';
import { ContactPanel, CoveragePanel } from './contact-panels.tsx';
import { DocumentPanel } from './document-panel.tsx';
import { EncounterPanel } from './encounter-panel.tsx';
import { MedicationPanel } from './medication-panel.tsx';
import { NetworkPanel } from './network-panel.tsx';
import { OtherPanel, WithdrawnPanel } from './other-panels.tsx';
import { PersonBanner } from './person-banner.tsx';
import { type FetchedRecord, recordQuery } from './record-query.ts';
import { RelationshipBar, useRelationship } from './relationship-bar.tsx';
import { ResultPanel } from './result-panel.tsx';
import { AppointmentPanel, ImmunizationPanel, ProcedurePanel, SocialHistoryPanel } from './simple-panels.tsx';

const route = getRouteApi('/signed-in/people/$id');

/** Types with a section of their own. */
const SHOWN: ReadonlySet<string> = new Set<ResourceType>([
  'AllergyIntolerance',
  'MedicationRequest',
  'MedicationStatement',
  'MedicationDispense',
  'MedicationAdministration',
  'Condition',
  'Observation',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Immunization',
  'Procedure',
  'Appointment',
  'CareTeam',
  'RelatedPerson',
  'Coverage',
]);

export function ChartPage() {
  useTitle('Chart');
  const { id } = route.useParams();
  const reads = readsRecords(useUser()?.role);
  const state = useEmergency();
  const emergency = state?.underWay?.patient === id ? state.underWay.id : undefined;
  const query = useQuery({ ...recordQuery(id, emergency), enabled: reads && state !== undefined });
  const relationship = useRelationship(id);
  const isClosed = emergency === undefined && relationship?.mode === 'require' && relationship.proof === 'none';
  const client = useQueryClient();
  useEffect(() => {
    // What an emergency access has shown is not kept when it has ended.
    if (emergency === undefined) return;
    return () => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey.includes(emergency) });
    };
  }, [emergency, client]);
  // A chart of what a role may not read would look like that of a healthy person.
  if (!reads) return <Navigate to="/people/$id/links" params={{ id }} replace />;
  return (
    <EmergencyOf value={emergency}>
      <Stack gap="sm">
        <EmergencyBar patient={id} />
        {emergency === undefined && <RelationshipBar patient={id} />}
        <Loaded query={query} what="the record">
          {(record) =>
            // The sections of a closed record would look like those of a healthy person.
            isClosed && record.patient ? (
              <PersonBanner id={id} patient={record.patient} />
            ) : (
              <Chart id={id} record={record} />
            )
          }
        </Loaded>
      </Stack>
    </EmergencyOf>
  );
}

function Chart({ id, record }: { id: string; record: FetchedRecord }) {
  const parts = useMemo(() => readChart(record), [record]);
  const isOwn = useUser()?.role === 'patient';
  if (!record.patient) return <Notice tone="bad">The hub holds no person under this address.</Notice>;
  return (
    <Stack gap="sm" data-facts={record.factCount}>
      <PersonBanner id={id} patient={record.patient} />
      <AllergyPanel summary={parts.allergies} />
      <Notice tone="info" title="This record may be incomplete.">
        {isOwn
          ? 'It holds what connected organisations have sent that is known for certain to be yours. What is missing or wrong here, tell the organisation that treats you.'
          : 'It holds what the connected organisations have sent. What is not here may still exist elsewhere.'}
        {record.truncated && ' The record is longer than can be shown on one page.'}
      </Notice>
      <NetworkPanel id={id} />
      <nav aria-label="Sections of the chart" className="section-links">
        {parts.sections.map(({ anchor, label, size }) => (
          <a key={anchor} href={`#${anchor}`}>
            {label} ({size})
          </a>
        ))}
      </nav>
      <div className="chart-columns">
        <div>
          <MedicationPanel lines={parts.medications} />
          <ConditionPanel lines={parts.conditions} />
          <ImmunizationPanel record={record} />
          <ProcedurePanel record={record} />
          <SocialHistoryPanel groups={parts.social} />
          <AppointmentPanel record={record} />
          <DocumentPanel record={record} />
          <CarePanel id={id} />
          <CareTeamPanel record={record} />
          <ContactPanel record={record} />
          <CoveragePanel record={record} />
        </div>
        <div>
          <ResultPanel anchor="results" title="Results" groups={parts.results} empty="No results on record." />
          <ResultPanel anchor="vitals" title="Vital signs" groups={parts.vitals} empty="No vital signs on record." />
          <EncounterPanel record={record} />
          <OtherPanel resources={parts.others} />
          <WithdrawnPanel resources={record.withdrawn} />
        </div>
      </div>
    </Stack>
  );
}

function readChart(record: FetchedRecord) {
  const observations = factsOf(record, 'Observation') as Observation[];
  const ofKind = (kind: string) =>
    groupResults(observations.filter((observation) => observationKind(observation) === kind));
  const allergies = summarizeAllergies(factsOf(record, 'AllergyIntolerance') as AllergyIntolerance[]);
  const medications = mergeMedications(record);
  const conditions = mergeConditions(factsOf(record, 'Condition') as Condition[]);
  const [results, vitals, social] = [ofKind('laboratory'), ofKind('vital-signs'), ofKind('social-history')];
  const others: Resource[] = otherTypes(record, SHOWN).flatMap((type) => record.byType[type] ?? []);
  const documents = factsOf(record, 'DocumentReference').length + factsOf(record, 'DiagnosticReport').length;
  const sections = [
    { anchor: 'medications', label: 'Medications', size: medications.length },
    { anchor: 'conditions', label: 'Conditions', size: conditions.length },
    { anchor: 'results', label: 'Results', size: results.length },
    { anchor: 'vitals', label: 'Vital signs', size: vitals.length },
    { anchor: 'encounters', label: 'Encounters', size: factsOf(record, 'Encounter').length },
    { anchor: 'immunizations', label: 'Immunizations', size: factsOf(record, 'Immunization').length },
    { anchor: 'procedures', label: 'Procedures', size: factsOf(record, 'Procedure').length },
    { anchor: 'documents', label: 'Reports and documents', size: documents },
    { anchor: 'appointments', label: 'Appointments', size: factsOf(record, 'Appointment').length },
    { anchor: 'contacts', label: 'Contacts', size: factsOf(record, 'RelatedPerson').length },
    { anchor: 'coverage', label: 'Insurance', size: factsOf(record, 'Coverage').length },
    { anchor: 'withdrawn', label: 'Withdrawn', size: record.withdrawn.length },
  ];
  const filled = sections.filter(({ size }) => size > 0);
  return { allergies, medications, conditions, results, vitals, social, others, sections: filled };
}
