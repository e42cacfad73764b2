/** Encounters, newest first. */
import type { CodeableConcept, Encounter } from '@medplum/fhirtypes';
import { conceptsText, conceptText } from '../fhir/concepts.ts';
import { formatPeriod, newestFirst } from '../fhir/dates.ts';
import { factsOf, type PersonRecord } from '../fhir/record.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Mark } from '../parts/mark.tsx';
import { SourceChip } from '../parts/source-chip.tsx';
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
  const all = factsOf(record, 'Encounter') as Encounter[];
  const dated = all.filter((encounter) => dateOf(encounter)).toSorted((a, b) => newestFirst(dateOf(a), dateOf(b)));
  const undated = all.filter((encounter) => !dateOf(encounter));
  return (
    <Panel anchor="encounters" title="Encounters" size={all.length} empty="No encounters on record.">
      {dated.length > 0 && (
        <FirstFew items={dated} few={12} what="encounters">
          {(shown) => <Encounters encounters={shown} caption="Encounters, newest first" />}
        </FirstFew>
      )}
      {undated.length > 0 && (
        <details className="small" style={{ marginTop: '0.4rem' }}>
          <summary>{undated.length} more without a date, known from orders and results only</summary>
          <Encounters encounters={undated} caption="Encounters without a date" />
        </details>
      )}
    </Panel>
  );
}

function Encounters({ encounters, caption }: { encounters: readonly Encounter[]; caption: string }) {
  return (
    <div className="scroll-x">
      <table className="facts">
        <caption className="visually-hidden">{caption}</caption>
        <tbody>
          {encounters.map((encounter) => (
            <tr key={encounter.id}>
              <td className="small" style={{ whiteSpace: 'nowrap', width: '7.5rem' }}>
                {formatPeriod(encounter.period) || 'Date not stated'}
              </td>
              <td>
                {encounterName(encounter)} <Status encounter={encounter} />
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
  );
}

/** Only what can be relied on: an encounter without a beginning is not said to be in progress. */
function Status({ encounter }: { encounter: Encounter }) {
  const { status } = encounter;
  if (status === 'finished' || status === 'unknown') return null;
  if (status === 'in-progress') return dateOf(encounter) ? <Mark tone="info">in progress</Mark> : null;
  return <Mark>{status}</Mark>;
}

function dateOf({ period }: Encounter): string | undefined {
  return period?.start ?? period?.end;
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
    dischargeText(encounter.hospitalization?.dischargeDisposition),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** A code without words says nothing by itself, and stays to be asked about. */
function dischargeText(disposition: CodeableConcept | undefined): string {
  const text = conceptText(disposition);
  return text && (/^\w{1,4}$/.test(text) ? `discharge code ${text}` : `discharged: ${text}`);
}

function distinct(names: (string | undefined)[] | undefined): string {
  return [...new Set(names?.filter(Boolean))].join(', ');
}
