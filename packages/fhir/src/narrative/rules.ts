/**
 * What a narrative may hold: invariant txt-1 of R4 (https://hl7.org/fhir/R4/narrative.html#rules) and HTML 4.0 chapters
 * 7 to 11 and 15, and what makes it unsafe to show: active content.
 */

/** Elements of the narrative; deprecated ones of HTML 4.0 are not among them. */
export function isNarrativeElement(name: string): boolean {
  return ELEMENTS.has(name);
}

/** What is wrong with an attribute, undefined when nothing is. `value` is as it means, character references resolved. */
export function attributeProblem(element: string, name: string, value: string): string | undefined {
  if (/^on/i.test(name)) return 'event attributes such as onclick are not allowed; leave them out (txt-1)';
  if (!ATTRIBUTES.has(name))
    return `the attribute ${nameable(name)} is not allowed in a narrative; leave it out (txt-1)`;
  if (name === 'style') return styleProblem(value);
  if (name === 'src') return element === 'img' ? imageProblem(value) : 'src is an attribute of img only (txt-1)';
  if (LINKS.has(name)) return linkProblem(value);
  return undefined;
}

/** A name that may be told in an error: short and of letters. */
export function nameable(name: string): string {
  return /^[A-Za-z][\w:.-]{0,31}$/.test(name) ? name : 'of an unusual name';
}

/** Not against R4, but whoever serves the image learns who reads the narrative, and when. */
export const LOADS =
  'the narrative loads an image from elsewhere when it is shown; put it into the resource (#id) or in a data URL';

const ELEMENTS: ReadonlySet<string> = new Set(
  [
    'div span p br hr pre h1 h2 h3 h4 h5 h6 address blockquote q',
    'a img bdo em strong dfn code samp kbd var cite abbr acronym sub sup tt i b big small',
    'ul ol li dl dt dd table caption colgroup col thead tfoot tbody tr th td',
  ].flatMap((line) => line.split(' ')),
);

/** `xml:lang` is XHTML's own way to write `lang`; the cellhalign and cellvalign of R4's list are HTML's names of a group. */
const ATTRIBUTES: ReadonlySet<string> = new Set(
  [
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset',
    'cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel',
    'rev rowspan rules scope shape span src start style summary tabindex title type valign value vspace width xml:lang',
  ].flatMap((line) => line.split(' ')),
);

const LINKS: ReadonlySet<string> = new Set(['href', 'cite', 'longdesc']);

/** Schemes that a link may lead to: none of them runs anything. */
const LINK_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'mailto', 'tel', 'sms', 'ftp', 'urn']);

function linkProblem(value: string): string | undefined {
  const scheme = schemeOf(value);
  if (scheme === undefined || LINK_SCHEMES.has(scheme)) return undefined;
  return 'a link may lead to http, https, mailto, tel, sms, ftp, urn or a place in the resource, not to a script or data (txt-1)';
}

/** `#id`, a path on this server, or the image itself in a data URL. */
function imageProblem(value: string): string | undefined {
  const url = plainUrl(value);
  const scheme = schemeOf(value);
  if (scheme === 'http' || scheme === 'https' || /^[\\/]{2}/.test(url)) return LOADS;
  if (scheme === undefined || /^data:image\/(?:png|jpe?g|gif|webp|bmp)[;,]/i.test(url)) return undefined;
  return 'an image has to be in the resource (#id), at a relative URL, or in a data URL of PNG, JPEG, GIF, WebP or BMP (txt-1)';
}

/** CSS that runs something or loads it: @import, expression(), behavior, -moz-binding, url(), and what could hide them. */
function styleProblem(css: string): string | undefined {
  if (RISKY_CSS.test(css)) {
    return 'a style may not load or run anything: no @import, image(), expression(), behavior, backslashes or comments (txt-1)';
  }
  for (const [, url] of css.matchAll(/url\s*\(\s*["']?([^)"']*)/gi)) {
    const problem = imageProblem(url ?? '');
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const RISKY_CSS = /[\\@]|\/\*|image\s*\(|image-set\s*\(|expression\s*\(|behaviou?r\s*:|binding\s*:|script\s*:/i;

/** Browsers pass over control characters and white space in the scheme. */
function plainUrl(value: string): string {
  return value.replace(/[\u0000-\u0020\u007f-\u00a0\u2000-\u200f\u2028-\u202f\ufeff]/g, '');
}

function schemeOf(value: string): string | undefined {
  return /^([^:/?#\\]*):/.exec(plainUrl(value))?.[1]?.toLowerCase();
}
