/**
 * Acts and organizers that hold statements together: what they say of their own goes to each fact inside.
 */
import type { XmlElement } from '@causeway/ccda';
import { translate } from './concept-maps.ts';
import { firstCode } from './concepts.ts';
import { codeableConcept, identifier } from './data-types.ts';
import type { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { narrativeText } from './narrative.ts';
import type { Run } from './run.ts';

/** Codes that say only what kind of wrapper it is. */
const KINDS = new Set(['CONC', '48768-6', '52556-8']);
const CONCERNED = new Set(['Condition', 'AllergyIntolerance']);
const ONGOING = new Set(['active', 'recurrence', 'relapse']);

/** Puts the wrapper's ids, code and narrative on the facts it holds, and compares its status with theirs. */
export function tellWrapper(run: Run, element: XmlElement, inner: readonly Draft[]): void {
  run.account.rule = 'wrapper';
  for (const draft of inner) {
    for (const id of element.all('id')) addIdentifier(run, id, draft);
    tellText(run, element, draft);
  }
  tellCode(run, element, inner);
  tellStatus(run, element, inner);
}

/** The wrapper's id names the facts only within it: a secondary identifier. */
function addIdentifier(run: Run, id: XmlElement, draft: Draft): void {
  const known = (draft.resource.identifier as Json[] | undefined) ?? [];
  const place = { draft, path: `identifier[${known.length}]` };
  const value = identifier(run, id, place);
  if (value === undefined) return;
  const same = known.findIndex((one) => one.system === value.system && one.value === value.value);
  if (same === -1) draft.put('identifier[]', { use: 'secondary', ...value });
  else draft.move(place.path, `identifier[${same}]`);
}

function tellText(run: Run, element: XmlElement, draft: Draft): void {
  const words = element.child('text');
  if (words === undefined || draft.resource.text !== undefined) return;
  const told = narrativeText(run, words, { draft, path: 'text' });
  if (told !== undefined) draft.resource.text = told;
}

/** "Admission diagnosis", "discharge medication": a category of what is inside. */
function tellCode(run: Run, element: XmlElement, inner: readonly Draft[]): void {
  const code = element.child('code');
  const value = code?.attr('code');
  if (code === undefined || value === undefined) return;
  if (KINDS.has(value)) run.account.consumeBelow(code, 'the kind of wrapper');
  for (const draft of inner) {
    const list = draft.type === 'Condition' || draft.type === 'MedicationRequest';
    if (KINDS.has(value) || (!list && draft.type !== 'MedicationStatement')) continue;
    const known = (draft.resource.category as Json[] | undefined) ?? [];
    if (!list && draft.resource.category !== undefined) continue;
    if (list && known.some((one) => firstCode(one) === value)) continue;
    const path = list ? `category[${known.length}]` : 'category';
    const concept = codeableConcept(run, code, { draft, path });
    if (concept !== undefined) draft.resource.category = list ? [...known, concept] : concept;
  }
}

/** A status that agrees with that of what is inside has been told there. */
function tellStatus(run: Run, element: XmlElement, inner: readonly Draft[]): void {
  const status = element.child('statusCode');
  const code = status?.attr('code');
  if (status === undefined || code === undefined || !run.account.isOpen(status, 'code')) return;
  const agrees = inner.every((draft) => {
    if (!CONCERNED.has(draft.type)) return code === 'completed';
    const clinical = firstCode(draft.resource.clinicalStatus);
    const tracked = translate('concernStatus', code);
    return clinical !== undefined && tracked !== undefined && ONGOING.has(clinical) === (tracked === 'active');
  });
  if (agrees) run.account.consumed(status, 'code', 'wrapper: its status is that of what is inside');
}
