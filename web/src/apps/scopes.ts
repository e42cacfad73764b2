/**
 * What an app asks for, as choices in plain words, and what a user's choices make of it again. A scope for resources is
 * `patient/Observation.rs?category=laboratory` or, as version 1 has it, `patient/Observation.read`.
 */

/** One thing that an app asks for, and the parts of it that can be left out. */
export interface Choice {
  scope: string;
  /** All scopes that it stands for: those that it includes are no choices of their own. */
  scopes: string[];
  label: string;
  /** What may be done with it, where it is more than reading. */
  doing: string | undefined;
  parts: Part[];
}

export interface Part {
  scope: string;
  label: string;
}

export interface Request {
  /** What is about records. */
  data: Choice[];
  /** Whether the app is told who the user is. */
  identity: string[];
  /** Whether it keeps its access. */
  staying: string | undefined;
  /** What comes with the rest: nothing to decide. */
  others: string[];
}

/** Kinds of data in words, in the order in which they are shown. */
const KINDS: { [type: string]: string } = {
  Patient: 'Name, birth date, address and the like',
  AllergyIntolerance: 'Allergies',
  MedicationRequest: 'Prescriptions',
  MedicationStatement: 'Medicines taken',
  MedicationDispense: 'Medicines given out',
  MedicationAdministration: 'Medicines given',
  Condition: 'Diagnoses and problems',
  Observation: 'Results, vital signs and other observations',
  DiagnosticReport: 'Reports of examinations',
  DocumentReference: 'Documents and notes',
  Encounter: 'Visits and stays',
  Procedure: 'Procedures and operations',
  Immunization: 'Vaccinations',
  CarePlan: 'Care plans',
  CareTeam: 'Care team',
  Goal: 'Goals',
  Appointment: 'Appointments',
  ServiceRequest: 'Orders and referrals',
  Coverage: 'Insurance',
  RelatedPerson: 'Family and contacts',
  Device: 'Implants and devices',
  Provenance: 'Where data came from',
  Practitioner: 'Doctors and other staff',
  PractitionerRole: 'Roles of staff',
  Organization: 'Organisations',
  Location: 'Places',
};

/** The categories by which US Core and SMART split three of the types. */
const CATEGORIES: { [type: string]: { system: string; codes: { [code: string]: string } } } = {
  Observation: {
    system: 'http://terminology.hl7.org/CodeSystem/observation-category',
    codes: {
      laboratory: 'Laboratory results',
      'vital-signs': 'Vital signs',
      'social-history': 'Social history, such as smoking',
      survey: 'Questionnaires',
    },
  },
  Condition: {
    system: 'http://terminology.hl7.org/CodeSystem/condition-category',
    codes: {
      'problem-list-item': 'Problem list',
      'encounter-diagnosis': 'Diagnoses of visits',
    },
  },
  DocumentReference: {
    system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
    codes: { 'clinical-note': 'Clinical notes' },
  },
};

interface Parsed {
  /** As they were asked for. */
  scopes: string[];
  context: string;
  type: string;
  suffix: string;
  letters: string;
  query: string;
}

const VERSION_ONE: { [suffix: string]: string } = { read: 'rs', write: 'cud', '*': 'cruds' };

/** What an app asks for. */
export function readRequest(scopes: readonly string[]): Request {
  const data = scopes.map(parse).filter((scope) => scope !== undefined);
  const named = ['openid', 'fhirUser', 'profile'].filter((scope) => scopes.includes(scope));
  const staying = ['offline_access', 'online_access'].find((scope) => scopes.includes(scope));
  return {
    data: joined(data).map(choiceOf),
    identity: named,
    staying,
    others: scopes.filter((scope) => scope === 'launch' || scope.startsWith('launch/')),
  };
}

/**
 * The scopes that stand for what is chosen: a choice whose parts are all there stays as it was asked for.
 * @param left the scopes, of choices and parts, that the user takes out
 */
export function chosenScopes(request: Request, left: ReadonlySet<string>): string[] {
  const data = request.data.flatMap(({ scope, scopes, parts }) => {
    if (left.has(scope)) return [];
    const kept = parts.filter((part) => !left.has(part.scope));
    return kept.length === parts.length ? scopes : kept.map((part) => part.scope);
  });
  const staying = request.staying !== undefined && !left.has(request.staying) ? [request.staying] : [];
  const identity = request.identity.filter((scope) => !left.has(scope));
  return [...new Set([...identity, ...request.others, ...staying, ...data])];
}

/** Words for a granted scope, for lists. */
export function scopeWords(scope: string): string {
  const parsed = parse(scope);
  if (!parsed) return OTHER_WORDS[scope] ?? scope;
  const { label, doing } = choiceOf(parsed);
  return doing ? `${label} (${doing})` : label;
}

const OTHER_WORDS: { [scope: string]: string } = {
  openid: 'Who you are',
  fhirUser: 'Your entry as a member of staff',
  profile: 'Your name',
  offline_access: 'Keeps its access until you disconnect it',
  online_access: 'Keeps its access while you are signed in',
  launch: 'The chart from which it was opened',
  'launch/patient': 'Whose record is open',
  'launch/encounter': 'Which visit is open',
};

function parse(scope: string): Parsed | undefined {
  const found = /^(patient|user)\/([A-Za-z]+|\*)\.([a-z]+|\*)(?:\?(.+))?$/.exec(scope);
  if (!found) return undefined;
  const [, context, type, suffix, query = ''] = found as unknown as [string, string, string, string, string?];
  return { scopes: [scope], context, type, suffix, letters: VERSION_ONE[suffix] ?? suffix, query };
}

/** Scopes of which one includes another are one choice, or leaving out the narrow one would change nothing. */
function joined(all: Parsed[]): Parsed[] {
  const alike = Object.values(
    Object.groupBy(all, ({ context, type, query }) => `${context}/${type}?${query}`) as { [key: string]: Parsed[] },
  ).map(together);
  const isInOther = (narrow: Parsed) => alike.some((wide) => wide !== narrow && includes(wide, narrow));
  return alike
    .filter((one) => !isInOther(one))
    .map((wide) => ({ ...wide, scopes: alike.filter((one) => includes(wide, one)).flatMap(({ scopes }) => scopes) }));
}

/** Scopes of one context, type and query as one. */
function together(group: Parsed[]): Parsed {
  const [first] = group as [Parsed, ...Parsed[]];
  if (group.length === 1) return first;
  const letters = [...'cruds'].filter((letter) => group.some((one) => one.letters.includes(letter))).join('');
  return { ...first, letters, suffix: letters, scopes: group.flatMap(({ scopes }) => scopes) };
}

function includes(wide: Parsed, narrow: Parsed): boolean {
  if (wide === narrow) return true;
  return (
    wide.context === narrow.context &&
    wide.query === '' &&
    (wide.type === narrow.type || wide.type === '*') &&
    [...narrow.letters].every((letter) => wide.letters.includes(letter))
  );
}

function choiceOf(parsed: Parsed): Choice {
  const { context, type, query } = parsed;
  const base = type === '*' ? 'Everything in the record' : (KINDS[type] ?? type);
  const whose = context === 'user' ? ', of everyone whose record you may see' : '';
  return {
    scope: parsed.scopes[0]!,
    scopes: parsed.scopes,
    label: `${base}${query === '' ? '' : `, only ${queryWords(type, query)}`}${whose}`,
    doing: doingWords(parsed.letters),
    parts: query === '' ? partsOf(parsed) : [],
  };
}

/** The parts of a choice; none of one that is narrow already. */
function partsOf({ context, type, suffix, letters }: Parsed): Part[] {
  if (type === '*') {
    return Object.entries(KINDS).map(([kind, label]) => ({ scope: `${context}/${kind}.${suffix}`, label }));
  }
  const categories = CATEGORIES[type];
  // What is made or changed has no category before it is there.
  if (!categories || /[cud]/.test(letters)) return [];
  return Object.entries(categories.codes).map(([code, label]) => ({
    scope: `${context}/${type}.${letters}?category=${categories.system}|${code}`,
    label,
  }));
}

function doingWords(letters: string): string | undefined {
  const words = [
    letters.includes('c') && 'add',
    letters.includes('u') && 'change',
    letters.includes('d') && 'delete',
  ].filter((word) => word !== false);
  if (words.length === 0) return undefined;
  const reads = /[rs]/.test(letters);
  const all = [...(reads ? ['see'] : []), ...words];
  return all.length === 1 ? `${all[0]} only` : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

function queryWords(type: string, query: string): string {
  const words = query.split('&').map((pair) => {
    const [name, value = ''] = pair.split('=', 2) as [string, string?];
    const code = decoded(value).split('|').at(-1) ?? '';
    const known = name === 'category' ? CATEGORIES[type]?.codes[code] : undefined;
    return known ? known.toLowerCase() : `${name} ${code}`;
  });
  return words.join(' and ');
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
