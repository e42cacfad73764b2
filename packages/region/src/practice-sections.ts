/** Allergies, medications, problems, immunizations, procedures and encounters of a C-CDA R2.1 document. */

import { HOUR_MS, isoDate } from './calendar.ts';
import type { Allergen } from './codes/allergies.ts';
import { SYSTEMS } from './outgoing.ts';
import type { Person } from './people.ts';
import type { Chart } from './practice-chart.ts';
import type { Demographics, Registration } from './registrations.ts';
import { OIDS } from './sites.ts';
import type { Allergy, Course, Story } from './story.ts';
import { codeAttributes, codedValue, interval, onDay, templates, textReference, time, xml } from './xml.ts';

export interface PracticePatient {
  person: Person;
  registration: Registration;
  known: Demographics;
  story: Story;
}

const LOINC = '2.16.840.1.113883.6.1';
const ACT_CODE = '2.16.840.1.113883.5.6';
const OBSERVATION_CODE = '2.16.840.1.113883.5.4';

/** A section: template ids, LOINC code, title, a table of rows (narrative) and its entries. */
export function section(
  shape: { templates: readonly string[]; code: string; title: string; heads: readonly string[]; empty: string },
  rows: readonly { id: string; cells: readonly string[] }[],
  entries: readonly string[],
): string {
  const table = rows.map(
    (row) =>
      `<tr>${row.cells.map((cell, index) => `<td${index === 0 ? ` ID="${row.id}"` : ''}>${xml(cell)}</td>`).join('')}</tr>`,
  );
  const heads = shape.heads.map((head) => `<th>${head}</th>`).join('');
  const narrative =
    rows.length > 0
      ? `<table><thead><tr>${heads}</tr></thead><tbody>${table.join('')}</tbody></table>`
      : `<paragraph>${shape.empty}</paragraph>`;
  const body = entries.map((entry) => `<entry typeCode="DRIV">${entry}</entry>`).join('\n');
  const unknown = rows.length === 0 && entries.length === 0 ? ' nullFlavor="NI"' : '';
  return `<section${unknown}>${templates(...shape.templates)}<code code="${shape.code}" codeSystem="${LOINC}"/><title>${shape.title}</title><text>${narrative}</text>
${body}</section>`;
}

/** An entry's id, unique for the person and the fact. */
export function entryId(about: PracticePatient, fact: string): string {
  return `<id root="${OIDS.practiceEntry}" extension="${about.registration.number}-${fact}"/>`;
}

/** Allergies, those denied included. */
export function allergiesSection(about: PracticePatient, chart: Chart): string {
  const rows = chart.allergies.map((allergy) => ({
    id: `al-${allergy.allergen.hospitalCode}`,
    cells: [allergy.allergen.text, allergy.reaction.text, allergy.severity.text, isoDate(allergy.onset)],
  }));
  const entries = chart.allergies.map((allergy) => allergyEntry(about, allergy));
  if (chart.denied === 'all') {
    rows.push({ id: 'al-none', cells: ['No known allergies', '', '', ''] });
    entries.push(deniedEntry(about, chart, undefined));
  } else if (chart.denied) {
    rows.push({
      id: `al-no-${chart.denied.hospitalCode}`,
      cells: [`Not allergic to ${chart.denied.text.toLowerCase()}`, '', '', ''],
    });
    entries.push(deniedEntry(about, chart, chart.denied));
  }
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.6.1', '2.16.840.1.113883.10.20.22.2.6.1:2015-08-01'],
      code: '48765-2',
      title: 'Allergies',
      heads: ['Substance', 'Reaction', 'Severity', 'Since'],
      empty: 'Nothing recorded',
    },
    rows,
    entries,
  );
}

function allergyEntry(about: PracticePatient, { allergen, reaction, severity, onset }: Allergy): string {
  const fact = `al-${allergen.hospitalCode}`;
  const severityObservation = `<entryRelationship typeCode="SUBJ" inversionInd="true"><observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.8', '2.16.840.1.113883.10.20.22.4.8:2014-06-09')}<code code="SEV" codeSystem="${OBSERVATION_CODE}"/><statusCode code="completed"/>${codedValue(SYSTEMS.snomed, severity.snomed, severity.text)}</observation></entryRelationship>`;
  const reactionObservation = `<entryRelationship typeCode="MFST" inversionInd="true"><observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.9', '2.16.840.1.113883.10.20.22.4.9:2014-06-09')}${entryId(about, `${fact}-r`)}<code code="ASSERTION" codeSystem="${OBSERVATION_CODE}"/><statusCode code="completed"/>${codedValue(SYSTEMS.snomed, reaction.snomed, reaction.text)}${severityObservation}</observation></entryRelationship>`;
  const kind =
    allergen.category === 'medication'
      ? (['416098002', 'Allergy to drug'] as const)
      : allergen.category === 'food'
        ? (['414285001', 'Allergy to food'] as const)
        : (['419199007', 'Allergy to substance'] as const);
  return allergyAct(
    about,
    fact,
    'active',
    onset,
    '',
    codedValue(SYSTEMS.snomed, kind[0], kind[1]),
    substance(allergen, fact),
    reactionObservation,
  );
}

/** "No known allergy" or "not allergic to …": negationInd says that the allergy is absent. */
function deniedEntry(about: PracticePatient, chart: Chart, allergen: Allergen | undefined): string {
  const fact = allergen ? `al-no-${allergen.hospitalCode}` : 'al-none';
  const participant = allergen
    ? substance(allergen, fact)
    : '<participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT"><code nullFlavor="NA"/></playingEntity></participantRole></participant>';
  const since = Math.min(chart.visit.at, about.registration.since);
  return allergyAct(
    about,
    fact,
    'active',
    since,
    ' negationInd="true"',
    codedValue(SYSTEMS.snomed, '419199007', 'Allergy to substance'),
    participant,
    '',
  );
}

function allergyAct(
  about: PracticePatient,
  fact: string,
  status: 'active' | 'completed',
  since: number,
  negation: string,
  value: string,
  participant: string,
  reaction: string,
): string {
  return `<act classCode="ACT" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.30', '2.16.840.1.113883.10.20.22.4.30:2015-08-01')}${entryId(about, `${fact}-c`)}<code code="CONC" codeSystem="${ACT_CODE}"/><statusCode code="${status}"/>${interval(since)}<entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN"${negation}>${templates('2.16.840.1.113883.10.20.22.4.7', '2.16.840.1.113883.10.20.22.4.7:2014-06-09')}${entryId(about, fact)}<code code="ASSERTION" codeSystem="${OBSERVATION_CODE}"/>${textReference(fact)}<statusCode code="completed"/>${interval(since)}${value}${participant}${reaction}</observation></entryRelationship></act>`;
}

function substance(allergen: Allergen, fact: string): string {
  const attributes = allergen.rxnorm
    ? codeAttributes(SYSTEMS.rxnorm, allergen.rxnorm, allergen.text)
    : codeAttributes(SYSTEMS.snomed, allergen.snomed, allergen.text);
  return `<participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT"><code ${attributes}><originalText><reference value="#${fact}"/></originalText></code></playingEntity></participantRole></participant>`;
}

/** Medicines taken now and those ended in the last half year. */
export function medicationsSection(about: PracticePatient, chart: Chart): string {
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.1.1', '2.16.840.1.113883.10.20.22.2.1.1:2014-06-09'],
      code: '10160-0',
      title: 'Medications',
      heads: ['Medicine', 'How taken', 'From', 'To'],
      empty: 'No medicines recorded',
    },
    chart.courses.map((course) => ({
      id: `med-${course.id}`,
      cells: [
        course.drug.text,
        course.drug.sig,
        isoDate(course.start),
        hasEnded(course, chart.at) ? isoDate(course.stop!) : '',
      ],
    })),
    chart.courses.map((course) => medicationEntry(about, chart, course)),
  );
}

function hasEnded(course: Course, at: number): boolean {
  return course.stop !== undefined && course.stop <= at;
}

const ROUTES = {
  oral: 'code="C38288" codeSystem="2.16.840.1.113883.3.26.1.1" displayName="Oral"',
  inhaled: 'code="C38216" codeSystem="2.16.840.1.113883.3.26.1.1" displayName="Inhaled"',
  subcutaneous: 'code="C38299" codeSystem="2.16.840.1.113883.3.26.1.1" displayName="Under the skin"',
} as const;

function medicationEntry(about: PracticePatient, chart: Chart, course: Course): string {
  const { drug } = course;
  const ended = hasEnded(course, chart.at);
  const hours = Number((24 / drug.timesPerDay).toFixed(1));
  const product = `<consumable><manufacturedProduct classCode="MANU">${templates('2.16.840.1.113883.10.20.22.4.23', '2.16.840.1.113883.10.20.22.4.23:2014-06-09')}<manufacturedMaterial><code ${codeAttributes(SYSTEMS.rxnorm, drug.rxnorm, drug.text)}><originalText><reference value="#med-${course.id}"/></originalText></code></manufacturedMaterial></manufacturedProduct></consumable>`;
  return `<substanceAdministration classCode="SBADM" moodCode="INT">${templates('2.16.840.1.113883.10.20.22.4.16', '2.16.840.1.113883.10.20.22.4.16:2014-06-09')}${entryId(about, `med-${course.id}`)}${textReference(`med-${course.id}`)}<statusCode code="${ended ? 'completed' : 'active'}"/>${interval(course.start, ended ? course.stop : undefined, ' xsi:type="IVL_TS"')}<effectiveTime xsi:type="PIVL_TS" operator="A"><period value="${hours}" unit="h"/></effectiveTime><routeCode ${ROUTES[drug.route]}/><doseQuantity value="${drug.doseValue}" unit="${drug.doseUnit}"/>${product}<author><time value="${time(course.start)}"/><assignedAuthor><id root="${OIDS.npi}" extension="${course.prescriber.npi}"/></assignedAuthor></author></substanceAdministration>`;
}

/** Problems, open ones and those over within four years. */
export function problemsSection(about: PracticePatient, chart: Chart): string {
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.5.1', '2.16.840.1.113883.10.20.22.2.5.1:2015-08-01'],
      code: '11450-4',
      title: 'Problems',
      heads: ['Problem', 'Since', 'Until'],
      empty: 'No problems recorded',
    },
    chart.problems.map((problem, index) => ({
      id: `prob-${index}`,
      cells: [
        problem.condition.text,
        isoDate(problem.onset),
        isOver(problem.resolved, chart.at) ? isoDate(problem.resolved!) : '',
      ],
    })),
    chart.problems.map((problem, index) => {
      const { condition, onset } = problem;
      const over = isOver(problem.resolved, chart.at);
      const end = over ? problem.resolved : undefined;
      const fact = `prob-${condition.key}-${isoDate(onset)}`;
      const value = codedValue(
        SYSTEMS.snomed,
        condition.snomed,
        condition.text,
        `<originalText><reference value="#prob-${index}"/></originalText><translation ${codeAttributes(SYSTEMS.icd10, condition.icd10, condition.text)}/>`,
      );
      const observation = `<observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.4', '2.16.840.1.113883.10.20.22.4.4:2015-08-01')}${entryId(about, fact)}<code code="64572001" codeSystem="2.16.840.1.113883.6.96" displayName="Condition"><translation code="75323-6" codeSystem="${LOINC}"/></code>${textReference(`prob-${index}`)}<statusCode code="completed"/>${interval(onset, end)}${value}</observation>`;
      return `<act classCode="ACT" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.3', '2.16.840.1.113883.10.20.22.4.3:2015-08-01')}${entryId(about, `${fact}-c`)}<code code="CONC" codeSystem="${ACT_CODE}"/><statusCode code="${over ? 'completed' : 'active'}"/>${interval(onset, end)}<entryRelationship typeCode="SUBJ">${observation}</entryRelationship></act>`;
    }),
  );
}

function isOver(resolved: number | undefined, at: number): boolean {
  return resolved !== undefined && resolved <= at;
}

/** Every vaccine given. */
export function immunizationsSection(about: PracticePatient, chart: Chart): string {
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.2.1', '2.16.840.1.113883.10.20.22.2.2.1:2015-08-01'],
      code: '11369-6',
      title: 'Immunizations',
      heads: ['Vaccine', 'Given'],
      empty: 'No immunizations recorded',
    },
    chart.shots.map((shot, index) => ({ id: `imm-${index}`, cells: [shot.vaccine.text, isoDate(shot.at)] })),
    chart.shots.map((shot, index) => {
      const product = `<consumable><manufacturedProduct classCode="MANU">${templates('2.16.840.1.113883.10.20.22.4.54', '2.16.840.1.113883.10.20.22.4.54:2014-06-09')}<manufacturedMaterial><code ${codeAttributes(SYSTEMS.cvx, shot.vaccine.cvx, shot.vaccine.text)}/><lotNumberText>${shot.lot}</lotNumberText></manufacturedMaterial></manufacturedProduct></consumable>`;
      return `<substanceAdministration classCode="SBADM" moodCode="EVN" negationInd="false">${templates('2.16.840.1.113883.10.20.22.4.52', '2.16.840.1.113883.10.20.22.4.52:2015-08-01')}${entryId(about, `imm-${shot.vaccine.key}-${isoDate(shot.at)}`)}${textReference(`imm-${index}`)}<statusCode code="completed"/>${onDay(shot.at)}${product}</substanceAdministration>`;
    }),
  );
}

/** What was done, here and at the hospital. */
export function proceduresSection(about: PracticePatient, chart: Chart): string {
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.7.1', '2.16.840.1.113883.10.20.22.2.7.1:2014-06-09'],
      code: '47519-4',
      title: 'Procedures',
      heads: ['Procedure', 'Done'],
      empty: 'No procedures recorded',
    },
    chart.procedures.map((done, index) => ({ id: `proc-${index}`, cells: [done.code.text, isoDate(done.at)] })),
    chart.procedures.map(
      (done, index) =>
        `<procedure classCode="PROC" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.14', '2.16.840.1.113883.10.20.22.4.14:2014-06-09')}${entryId(about, `proc-${done.code.key}-${isoDate(done.at)}`)}<code ${codeAttributes(SYSTEMS.snomed, done.code.snomed, done.code.text)}><originalText><reference value="#proc-${index}"/></originalText></code><statusCode code="completed"/>${onDay(done.at)}</procedure>`,
    ),
  );
}

/** The last office visits with their diagnoses. */
export function encountersSection(about: PracticePatient, chart: Chart): string {
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.22.1', '2.16.840.1.113883.10.20.22.2.22.1:2015-08-01'],
      code: '46240-8',
      title: 'Encounters',
      heads: ['Visit', 'When'],
      empty: 'No visits recorded',
    },
    chart.visits.map((visit) => ({
      id: `enc-${visit.id}`,
      cells: [`Office visit: ${visit.reason.text}`, isoDate(visit.at)],
    })),
    chart.visits.map((visit) => {
      const diagnosis = `<entryRelationship typeCode="SUBJ"><act classCode="ACT" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.80', '2.16.840.1.113883.10.20.22.4.80:2015-08-01')}<code code="29308-4" codeSystem="${LOINC}"/><entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.4', '2.16.840.1.113883.10.20.22.4.4:2015-08-01')}${entryId(about, `encdx-${visit.id}`)}<code code="29308-4" codeSystem="${LOINC}"/><statusCode code="completed"/>${interval(visit.at)}${codedValue(SYSTEMS.snomed, visit.reason.snomed, visit.reason.text)}</observation></entryRelationship></act></entryRelationship>`;
      return `<encounter classCode="ENC" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.49', '2.16.840.1.113883.10.20.22.4.49:2015-08-01')}<id root="${OIDS.practiceVisit}" extension="${visit.id}"/><code code="185349003" codeSystem="2.16.840.1.113883.6.96" displayName="Office visit"><originalText><reference value="#enc-${visit.id}"/></originalText></code><effectiveTime><low value="${time(visit.at)}"/><high value="${time(visit.at + HOUR_MS / 3)}"/></effectiveTime><performer><assignedEntity><id root="${OIDS.npi}" extension="${about.story.familyDoctor.npi}"/></assignedEntity></performer>${diagnosis}</encounter>`;
    }),
  );
}
