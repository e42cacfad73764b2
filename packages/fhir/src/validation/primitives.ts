/**
 * The primitive types of R4 in JSON (https://hl7.org/fhir/R4/datatypes.html#primitive): whether a value is one, and
 * what would be.
 */
import { dateRange } from '../search/dates.ts';
import { isId } from '../search/references.ts';

/** Nothing when the value fits, otherwise what would be right. */
export type PrimitiveCheck = (value: unknown) => string | undefined;

/** The check of a primitive type; undefined for a type that is not primitive. */
export function primitiveCheck(type: string): PrimitiveCheck | undefined {
  return Object.hasOwn(CHECKS, type) ? CHECKS[type] : undefined;
}

/** A check by the type of the JSON value and a pattern or a test. */
function textual(right: string, test: (text: string) => boolean): PrimitiveCheck {
  return (value) => (typeof value === 'string' && value !== '' && test(value) ? undefined : right);
}

function numeric(right: string, test: (value: number) => boolean): PrimitiveCheck {
  return (value) => (typeof value === 'number' && test(value) ? undefined : right);
}

const CODE = /^[^\s]+(?:\s[^\s]+)*$/;
const NO_SPACE = /^\S+$/;
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/;
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BASE64 = /^[0-9A-Za-z+/=\s]*$/;
const DATE = /^\d{4}(?:-\d\d(?:-\d\d)?)?$/;
const DATE_TIME = /^\d{4}(?:-\d\d(?:-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?)?$|^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?$/;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;
const MAX_INTEGER = 2_147_483_647;

const isText = (text: string) => !CONTROL.test(text);
const isDate = (pattern: RegExp) => (text: string) => pattern.test(text) && dateRange(text) !== undefined;
const TEXT = 'a string that is not empty and has no control characters besides tab, line feed and carriage return';

const string = textual(TEXT, isText);
const uri = textual('a URI without white space', (text) => NO_SPACE.test(text));

const CHECKS: Record<string, PrimitiveCheck> = {
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'true or false, without quotes'),
  integer: numeric(
    'a whole number of 32 bits',
    (value) => Number.isInteger(value) && Math.abs(value) <= MAX_INTEGER + 1,
  ),
  unsignedInt: numeric(
    'a whole number from 0',
    (value) => Number.isInteger(value) && value >= 0 && value <= MAX_INTEGER,
  ),
  positiveInt: numeric(
    'a whole number from 1',
    (value) => Number.isInteger(value) && value >= 1 && value <= MAX_INTEGER,
  ),
  decimal: numeric('a number, without quotes', Number.isFinite),
  string,
  markdown: string,
  xhtml: textual('XHTML in one div element', (text) => text.trimStart().startsWith('<')),
  code: textual('a code without white space at its ends, single spaces inside', (text) => CODE.test(text)),
  id: textual('1 to 64 letters, digits, "-" and "."', isId),
  uri,
  url: uri,
  canonical: uri,
  oid: textual('an OID written as urn:oid:1.2.3', (text) => OID.test(text)),
  uuid: textual('a UUID written as urn:uuid: and 36 characters', (text) => UUID.test(text)),
  base64Binary: textual('base64 text', (text) => BASE64.test(text)),
  date: textual('a date of the calendar: YYYY, YYYY-MM or YYYY-MM-DD', isDate(DATE)),
  dateTime: textual(
    'a date of the calendar: YYYY, YYYY-MM, YYYY-MM-DD, or with time and zone YYYY-MM-DDThh:mm:ss+zz:zz',
    isDate(DATE_TIME),
  ),
  instant: textual('a time with zone: YYYY-MM-DDThh:mm:ss.sss+zz:zz', isDate(INSTANT)),
  time: textual('a time of day: hh:mm:ss', (text) => TIME.test(text)),
};
