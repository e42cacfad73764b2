/** Encounters, newest first. */
import type { Encounter } from '@medplum/fhirtypes';
import { conceptsText, conceptText } from '../fhir/concepts.ts';
import { formatPeriod, newestFirst } from '../fhir/dates.ts';
import { factsOf, type PersonRecord } from '../fhir/record.ts';
import { Mark } from '../parts/mark.tsx';
import { SourceChip } from '../parts/source-chip.tsx';
import { FirstFew } from './first-few.tsx';
import { Panel } from './panel.tsx';

const CLASSES: Record<string, string> = {
  AMB: 'Outpatient visit',
  IMP: 'Inpatient stay',
  ACUTE: 'Inpatient stay (acute)',
  NONAC: 'Inpatient stay (non-acute)',
  EMER: 'Emergency visit',
  OBSENC: 'Observation stay',
  PRENC: 'Pre-admission',
  SS: 'Short stay',
  HH: 'Home health visit',
  VR: 'Virtual visit',
  FLD: 'Field visit',
};

export function EncounterPanel({ record }: { record: PersonRecord }) {
  const encounters = (factsOf(record, 'Encounter') as Encounter[]).toSorted((a, b) =>
    newestFirst(a.period?.start, b.period?.start),
  );
  return (
    <Panel anchor="encounters" title="Encounters" size={encounters.length} empty="No encounters on record.">
      <FirstFew items={encounters} few={12} what="encounters">
        {(shown) => (
          <div className="scroll-x">
            <table className="facts">
              <caption className="visually-hidden">Encounters, newest first</caption>
              <tbody>
                {shown.map((encounter) => (
                  <tr key={encounter.id}>
                    <td className="small" style={{ whiteSpace: 'nowrap' }}>
                      {formatPeriod(encounter.period) || 'Date not stated'}
                    </td>
                    <td>
                      {encounterName(encounter)}{' '}
                      {encounter.status !== 'finished' && (
                        <Mark tone={encounter.status === 'in-progress' ? 'info' : 'neutral'}>{encounter.status}</Mark>
                      )}
                      <div className="small quiet">{encounterDetail(encounter)}</div>
                    </td>
                    <td>
                      <SourceChip resource={encounter} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </FirstFew>
    </Panel>
  );
}

function encounterName(encounter: Encounter): string {
  const kind = CLASSES[encounter.class?.code ?? ''] ?? encounter.class?.display ?? encounter.class?.code;
  const type = conceptsText(encounter.type);
  return [kind, type].filter(Boolean).join(': ') || 'Encounter';
}

function encounterDetail(encounter: Encounter): string {
  return [
    conceptsText(encounter.reasonCode),
    distinct(encounter.location?.map((each) => each.location?.display)),
    distinct(encounter.participant?.map((each) => each.individual?.display)),
    encounter.hospitalization?.dischargeDisposition &&
      `discharged: ${conceptText(encounter.hospitalization.dischargeDisposition)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function distinct(names: (string | undefined)[] | undefined): string {
  return [...new Set(names?.filter(Boolean))].join(', ');
}
