/** GT1, IN1 and IN2: guarantors and coverage. */
import { GT1, IN1, IN1_SUBSCRIBER, IN2, IN2_SUBSCRIBER } from '../../../v2/tables/finance.ts';
import { GT1_STATEMENTS } from '../../../v2/tables/statements.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, codingsOf, type Element, hasCode, listOf, textOf } from '../record.ts';
import { isOfVocabulary, writeCodings, writeVocabularyConcept } from '../values/coded.ts';
import { writeAddress, writeContactPoint } from '../values/contacts.ts';
import { isOfKind, writeExtendedIdentifier } from '../values/identifiers.ts';
import { writeName } from '../values/names.ts';
import { organizationOf, writeNamedOrganization, writeOrganization } from '../values/parties.ts';
import { birthTime, isGuarantor, isSelf } from './patient.ts';
import type { Sheet } from './sheet.ts';
import { writeStatements } from './statements.ts';

const gt1Rows = compileBack(GT1, { skip: ['GT1-8', 'GT1-11'], last: ['GT1-18', 'GT1-45', 'GT1-46'] });
const in1Rows = compileBack(IN1, { skip: ['IN1-17', 'IN1-10', 'IN1-49', 'IN1-36'] });
const in1SubscriberRows = compileBack(IN1_SUBSCRIBER);
const in2Rows = compileBack(IN2);
const in2SubscriberRows = compileBack(IN2_SUBSCRIBER, { skip: ['IN2-7'] });
const policyNumber = compileBack(
  IN1.filter(([from]) => ['IN1-10', 'IN1-36', 'IN1-49'].includes(from)),
  {
    single: ['IN1-10', 'IN1-36'],
    last: ['IN1-10'],
  },
);

export function writeGuarantors(sheet: Sheet): void {
  for (const person of sheet.ofPatient('RelatedPerson', 'patient').filter(isGuarantor)) {
    sheet.addNumbered('GT1', (fields) => {
      gt1Rows(person, fields, sheet);
      fields.add(8, birthTime(person));
      const guarantor = listOf(person, 'relationship').find((item) => hasCode(item, 'GUAR'));
      for (const { system, ...type } of codingsOf(guarantor))
        if (system === GUARANTOR_TYPE) fields.add(10, writeCodings([type], undefined, sheet));
      const relation = listOf(person, 'relationship').find((item) => item !== guarantor);
      if (relation !== undefined) fields.add(11, writeVocabularyConcept('relationship', relation, sheet));
      writeStatements(sheet, GT1_STATEMENTS, fields, person);
    });
  }
}

/** Guarantor type. */
const GUARANTOR_TYPE = 'http://terminology.hl7.org/CodeSystem/v2-0068';

/** IN1 and IN2; the insured is whom the coverage names, or what it knows of the patient when that is the patient. */
export function writeInsurance(sheet: Sheet): void {
  const self = sheet.ofPatient('RelatedPerson', 'patient').find(isSelf);
  for (const coverage of sheet.ofPatient('Coverage', 'beneficiary')) {
    const insured = sheet.record.resolve(coverage.subscriber);
    const subscriber = insured?.resourceType === 'RelatedPerson' ? insured : self;
    const [toInsured, toInsurance] = relationshipsOf(coverage);
    sheet.addNumbered(
      'IN1',
      (fields) => {
        in1Rows(coverage, fields, sheet);
        const numbers = listOf(coverage, 'identifier').filter((item) => !isIn2Number(item));
        policyNumber({ identifier: numbers }, fields, sheet);
        if (subscriber !== undefined) in1SubscriberRows(subscriber, fields, sheet);
        if (toInsurance !== undefined)
          fields.add(17, writeVocabularyConcept('coverageRelationship', toInsurance, sheet));
        writePayor(sheet, coverage, fields);
        const employer = organizationOf(coverage.policyHolder, sheet);
        const address = listOf(employer, 'address')[0];
        if (address !== undefined) fields.add(44, writeAddress(address));
      },
      true,
    );
    sheet.add('IN2', (fields) => {
      in2Rows(coverage, fields, sheet);
      if (toInsured !== undefined) fields.add(72, writeVocabularyConcept('coverageRelationship', toInsured, sheet));
      if (subscriber !== undefined) in2SubscriberRows(subscriber, fields, sheet);
      writeEmployer(sheet, coverage, fields);
    });
  }
}

/** What IN2-72 and IN1-17 say of the relationship: where both do, the codings of the first stand before the second's. */
function relationshipsOf({
  relationship,
}: Element): [toInsured: Element | undefined, toInsurance: Element | undefined] {
  const codings = codingsOf(relationship);
  const second = codings.findIndex(
    (item, index) => index > 0 && isOfVocabulary('coverageRelationship', { coding: [item] }),
  );
  if (second < 0) return [undefined, childOf({ relationship }, 'relationship')];
  return [{ coding: codings.slice(0, second) }, { coding: codings.slice(second) }];
}

function isIn2Number(identifier: unknown): boolean {
  const type = childOf(identifier, 'type');
  if (isOfKind(identifier, 'member')) return true;
  return hasCode(type, 'MC') || hasCode(type, 'MA') || textOf(type, 'text') === 'Military ID';
}

/** IN1-3 to IN1-7: the insurer's numbers, name, address, contact and phone. */
function writePayor(sheet: Sheet, coverage: Element, fields: SegmentFields): void {
  const payor = listOf(coverage, 'payor')[0];
  const organization = organizationOf(payor, sheet);
  if (organization === undefined) return;
  fields.add(3, ...listOf(organization, 'identifier').map(writeExtendedIdentifier));
  fields.add(4, writeNamedOrganization(payor, sheet));
  fields.add(5, ...listOf(organization, 'address').map(writeAddress));
  fields.add(
    6,
    ...listOf(organization, 'contact').flatMap(({ name }) => (name === undefined ? [] : [writeName(name)])),
  );
  fields.add(7, ...listOf(organization, 'telecom').map((point) => writeContactPoint(point, 'work')));
}

/** IN2-49, -50 and -70: the insured's employer, with whom to ask there. */
function writeEmployer(sheet: Sheet, coverage: Element, fields: SegmentFields): void {
  const employer = organizationOf(coverage.policyHolder, sheet);
  const contact = listOf(employer, 'contact')[0];
  if (contact === undefined) return;
  fields.add(70, writeOrganization(coverage.policyHolder, sheet));
  if (contact.name !== undefined) fields.add(49, writeName(contact.name));
  fields.add(50, ...listOf(contact, 'telecom').map((point) => writeContactPoint(point, 'work')));
}
