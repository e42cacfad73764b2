/** People around the person, and who pays. Both only where there are any: they are no clinical facts. */
import type { Coverage, RelatedPerson } from '@medplum/fhirtypes';
import { conceptText } from '../fhir/concepts.ts';
import { formatPeriod } from '../fhir/dates.ts';
import { addressText, currentAddress, nameText, preferredName, telecomTexts } from '../fhir/people.ts';
import { factsOf, type PersonRecord, resolve } from '../fhir/record.ts';
import { Mark } from '../parts/mark.tsx';
import { type Row, RowPanel } from './simple-panels.tsx';

export function ContactPanel({ record }: { record: PersonRecord }) {
  const rows = (factsOf(record, 'RelatedPerson') as RelatedPerson[]).map(
    (contact): Row => ({
      resource: contact,
      when: relationshipText(contact) || 'Relationship not stated',
      what: (
        <>
          {nameText(preferredName(contact.name)) || 'Name not recorded'}{' '}
          {contact.active === false && <Mark>no longer a contact</Mark>}
        </>
      ),
      detail: [telecomTexts(contact.telecom).join(', '), addressText(currentAddress(contact.address))]
        .filter(Boolean)
        .join(' · '),
    }),
  );
  if (rows.length === 0) return null;
  return <RowPanel anchor="contacts" title="Contacts" rows={rows} empty="No contacts on record." />;
}

export function CoveragePanel({ record }: { record: PersonRecord }) {
  const rows = (factsOf(record, 'Coverage') as Coverage[]).map(
    (coverage): Row => ({
      resource: coverage,
      when: formatPeriod(coverage.period) || 'Period not stated',
      what: (
        <>
          {payerText(record, coverage) || planText(coverage) || 'Payer not stated'}{' '}
          {coverage.status !== 'active' && <Mark>{coverage.status}</Mark>}
        </>
      ),
      detail: [
        planText(coverage),
        conceptText(coverage.type),
        coverage.subscriberId && `member ${coverage.subscriberId}`,
        conceptText(coverage.relationship) && `insured through: ${conceptText(coverage.relationship)}`,
      ]
        .filter(Boolean)
        .join(' · '),
    }),
  );
  if (rows.length === 0) return null;
  return <RowPanel anchor="coverage" title="Insurance" rows={rows} empty="No insurance on record." />;
}

/** The same relationship is often coded twice; each word once. */
function relationshipText({ relationship }: RelatedPerson): string {
  return [...new Set(relationship?.map((concept) => conceptText(concept)).filter(Boolean))].join(', ');
}

function payerText(record: PersonRecord, { payor }: Coverage): string {
  const names = (payor ?? []).map((reference) => {
    const payer = resolve(record, reference.reference);
    return reference.display ?? (payer?.resourceType === 'Organization' ? payer.name : undefined);
  });
  return [...new Set(names.filter(Boolean))].join(', ');
}

function planText(coverage: Coverage): string {
  return (coverage.class ?? [])
    .map((each) => `${conceptText(each.type, 'class')} ${each.name ?? each.value}`)
    .join(', ');
}
