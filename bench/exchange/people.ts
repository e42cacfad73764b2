/** The people of the simulated region whom hospital, practice and laboratory know, and what the laboratory sends of them. */
import { messages, type Site, type SiteKey, sites, truth } from '@causeway/region';

export interface Known {
  /** Their record numbers at the sites. */
  numbers: Record<Where, string>;
  /** By what the hospital and the practice come to know them. */
  registration: { hospital: string; practice: string };
  /** The laboratory's reports of them, whose order and control id are written anew each time they are sent. */
  reports: string[];
}

export type Where = 'harbor-hospital' | 'millbrook-practice' | 'ellery-lab';
const where: readonly Where[] = ['harbor-hospital', 'millbrook-practice', 'ellery-lab'];

/** Of a town of so many, those whom all three know under one number each. */
export function peopleOf(region: { people: number; seed: number }): Known[] {
  const known = new Map<string, Known>();
  for (const { records } of truth(region)) {
    const ofSite = where.map((site) => records.filter((record) => record.site === site));
    if (ofSite.some((some) => some.length !== 1 || some[0]!.placeholder || some[0]!.mergedInto)) continue;
    const [hospital, practice, lab] = ofSite.map(([record]) => record!.identifier.value) as [string, string, string];
    const numbers = { 'harbor-hospital': hospital, 'millbrook-practice': practice, 'ellery-lab': lab };
    const one: Known = { numbers, registration: { hospital: '', practice: '' }, reports: [] };
    for (const site of where) known.set(`${site} ${numbers[site]}`, one);
  }
  for (const { site, type, body } of messages(region)) {
    const number =
      site === 'millbrook-practice' ? practiceNumber(body) : /\rPID\|[^|]*\|[^|]*\|([^|^]*)/.exec(body)?.[1];
    const one = known.get(`${site} ${number}`);
    if (!one) continue;
    if (site === 'ellery-lab' && isPlain(body)) one.reports.push(body);
    else if (site === 'ellery-lab') continue;
    else if (site === 'millbrook-practice') one.registration.practice ||= body;
    else if (type.startsWith('ADT')) one.registration.hospital ||= body;
  }
  const whole = ({ registration, reports }: Known) => registration.hospital && registration.practice && reports.length;
  return [...new Set(known.values())].filter(whole);
}

/** A report under an order of its own, by which the receivers know it. */
export function reportOf(template: string, result: number): string {
  const order = `BX-${String(result).padStart(9, '0')}`;
  return template
    .replace(/^(MSH(?:\|[^|]*){8}\|)[^|]*/, `$1${order}`)
    .replace(/\b(?:E|MFP|HGH|OUT)\d{9}(?=\^(?:ELLERYLIS|MILLBROOK|OUTSIDE|HARBOR\w*)\b)/g, order);
}

/** One order, and nothing of it corrected or taken back. */
function isPlain(report: string): boolean {
  const segments = report.split('\r');
  const results = segments.filter((segment) => segment.startsWith('OBX'));
  const isFinal = results.every((segment) => segment.split('|')[11] === 'F');
  return isFinal && results.length > 0 && segments.filter((segment) => segment.startsWith('OBR')).length === 1;
}

function practiceNumber(document: string): string | undefined {
  const { oid } = siteOf('millbrook-practice');
  const target = document.indexOf('<patientRole');
  return new RegExp(`<id[^>]*root="${oid}"[^>]*extension="([^"]+)"`).exec(document.slice(target))?.[1];
}

export function siteOf(key: SiteKey): Site {
  return sites().find((site) => site.key === key)!;
}
