/** Clinical statements: their children in the order that CDA's schema has. */
import { type CdaElement, type Child, el } from './element.ts';
import { type TemplateName, template } from './templates.ts';

/** The order of children in CDA's schema, over all classes of statement. */
const ORDER = [
  'realmCode',
  'typeId',
  'templateId',
  'id',
  'sdtc:id',
  'code',
  'derivationExpr',
  'text',
  'statusCode',
  'effectiveTime',
  'sdtc:dischargeDispositionCode',
  'priorityCode',
  'repeatNumber',
  'independentInd',
  'quantity',
  'languageCode',
  'value',
  'interpretationCode',
  'methodCode',
  'approachSiteCode',
  'targetSiteCode',
  'routeCode',
  'doseQuantity',
  'rateQuantity',
  'maxDoseQuantity',
  'administrationUnitCode',
  'expectedUseTime',
  'product',
  'consumable',
  'subject',
  'specimen',
  'performer',
  'author',
  'informant',
  'participant',
  'entryRelationship',
  'component',
  'reference',
  'precondition',
  'referenceRange',
];
const PLACE = new Map(ORDER.map((name, place) => [name, place]));
/** In a substance administration the route comes before the site. */
const SITE_AFTER_ROUTE = PLACE.get('routeCode')! + 0.5;

export interface StatementKind {
  classCode: string;
  moodCode: string;
  negationInd?: boolean;
  nullFlavor?: string;
}

/** A clinical statement; its children may be given in any order. */
export function statement(name: string, kind: StatementKind, ...children: Child[]): CdaElement {
  const { classCode, moodCode, negationInd, nullFlavor } = kind;
  const element = el(
    name,
    { classCode, moodCode, negationInd: negationInd === undefined ? undefined : String(negationInd), nullFlavor },
    ...children,
  );
  return inOrder(element);
}

export function inOrder(element: CdaElement): CdaElement {
  const medicine = element.name === 'substanceAdministration';
  const placeOf = (child: CdaElement | string): number => {
    if (typeof child === 'string') return 0;
    if (medicine && child.name === 'approachSiteCode') return SITE_AFTER_ROUTE;
    return PLACE.get(child.name) ?? PLACE.get('participant')!;
  };
  element.children.sort((a, b) => placeOf(a) - placeOf(b));
  return element;
}

export function statusCode(value: string): CdaElement {
  return el('statusCode', { code: value });
}

/** `text` that points at the narrative. */
export function textReference(id: string | undefined): CdaElement | undefined {
  return id === undefined ? undefined : el('text', {}, el('reference', { value: `#${id}` }));
}

/** `entryRelationship` around a statement. */
export function related(typeCode: string, inner: CdaElement | undefined, inverted = false): CdaElement | undefined {
  if (inner === undefined) return undefined;
  return el('entryRelationship', { typeCode, inversionInd: inverted ? 'true' : undefined }, inner);
}

/** An observation that only names its kind and value, as statuses, severities and ages are. */
export function smallObservation(name: TemplateName, ...children: Child[]): CdaElement {
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    template(name),
    statusCode('completed'),
    ...children,
  );
}
