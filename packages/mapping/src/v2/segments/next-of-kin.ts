/** NK1: next of kin, and whom to contact on their or an organization's behalf. */
import { Cell } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { readHumanName } from '../datatypes/name.ts';
import { nameKey, readOrganization } from '../datatypes/party.ts';
import { readContactPoints } from '../datatypes/telecom.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { Place, SourceSegment } from '../source.ts';
import { NK1 } from '../tables/patient.ts';
import { birthTime, cellOf, identityOf } from './patient.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const nk1Rows = compileRows(NK1);

export const nk1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const id = identityOf(run, segment.fields[33]) ?? identityOf(run, segment.fields[12]);
  const name = nameKey([peek(segment, 2, 1), peek(segment, 2, 2), peek(segment, 2, 3)]);
  const organization = peek(segment, 13);
  const relation = peek(segment, 3) ?? '';
  const named = name === '' ? (organization ?? peek(segment, 30) ?? '') : name;
  if (id === undefined && named === '' && !segment.atoms.some((atom) => atom.field > 1)) return;
  const unnamed = id === undefined && named === '';
  const key = id ?? [
    ...(unnamed ? ['unnamed', run.context.messageUri, String(segment.occurrence)] : ['name', named]),
    relation,
  ];
  const draft = run.draft('RelatedPerson', 'merge', patientOf(state).id, ...key);
  draft.resource.patient = subjectOf(state);
  nk1Rows(segment, draft, run);
  birthTime(segment, draft, run, 16);
  const isNamed = draft.resource.name !== undefined;
  const cell = isNamed ? undefined : cellOf(segment, 13, run);
  if (cell !== undefined && peek(segment, 30) === undefined && organization !== undefined)
    draft.resource.name = [{ text: cell.at({ draft, base: 'name[0].text' }).text('', 1) }];
  contactRows[isNamed ? 'further' : 'own'](segment, draft, run);
  contact(segment, draft, isNamed, state);
  state.noted = undefined;
};

/** NK1-30 to -32 of a person of whom NK1-2 says no name; else the names and addresses for which a contact has no place. */
const contactRows = {
  own: compileRows([
    ['NK1-30', 'name[]', 'HumanName'],
    ['NK1-31', 'telecom[]', 'ContactPoint'],
    ['NK1-32', 'address[]', 'Address'],
  ]),
  further: (segment: SourceSegment, draft: Draft, run: Run) => {
    for (const [field, element, read] of [
      [30, 'name', readHumanName],
      [32, 'address', readAddress],
    ] as const) {
      for (const repetition of (segment.fields[field] ?? []).slice(1)) {
        if (repetition === undefined) continue;
        const place = { draft, base: '' };
        const found = read(new Cell(repetition, run, `NK1-${field}`, place));
        if (found !== undefined)
          place.base = `${element}[${draft.append(element, Array.isArray(found) ? found[0] : found)}]`;
      }
    }
  },
};

/**
 * NK1-13 beside a person: the organization on whose behalf the person is to be contacted; and NK1-30 to -32, whom one
 * asks for there, with phone and address: a contact of the patient.
 */
function contact(segment: SourceSegment, person: Draft, isNamed: boolean, state: State): void {
  const run = state.run;
  const patient = patientOf(state);
  const made: Element = {};
  const places: Place[] = [];
  const at = (element: string, field: number, index = 0): Cell | undefined => {
    const repetition = segment.fields[field]?.[index];
    if (repetition === undefined) return undefined;
    const place: Place = { draft: patient, base: element };
    places.push(place);
    return new Cell(repetition, run, `NK1-${field}`, place);
  };
  if (isNamed) {
    const cell = at('name', 30);
    const name = cell === undefined ? undefined : readHumanName(cell);
    if (name !== undefined) made.name = Array.isArray(name) ? name[0] : name;
    const points: Element[] = [];
    for (const index of (segment.fields[31] ?? []).keys()) {
      const phone = at(`telecom[${points.length}]`, 31, index);
      points.push(...((phone === undefined ? undefined : readContactPoints(phone, undefined)) ?? []));
    }
    if (points.length > 0) made.telecom = points;
    const home = at('address', 32);
    const address = home === undefined ? undefined : readAddress(home);
    if (address !== undefined) made.address = address;
  }
  const cell = person.resource.name === undefined || isNamed ? cellOf(segment, 13, run) : undefined;
  const organization = cell === undefined ? undefined : readOrganization(cell);
  if (organization !== undefined) made.organization = organization;
  if (Object.keys(made).length === 0) return;
  const { relationship } = person.resource;
  const index = patient.append('contact', { ...(relationship !== undefined && { relationship }), ...made });
  for (const place of places) place.base = `contact[${index}].${place.base}`;
}
