/**
 * For whom and why an organisation's system asks: the extension `hl7-b2b` of the JWT by which it shows who it is (HL7 UDAP
 * Security 2.0, "B2B Authorization Extension Object").
 */
import { purposesOf } from '@causeway/access';

/** What a token is given for. */
export interface AskedFor {
  /** The URI of the organisation that asks. */
  organization: string;
  organizationName?: string;
  /** Codes of v3-ActReason. */
  purposes: string[];
  /** The human or system on whose behalf it asks. */
  subject?: string;
}

const longest = 255;
const mostPurposes = 10;
/** The code system, by its URI and its OID, or nothing: a bare code. */
const purposePrefix =
  /^(?:urn:oid:2\.16\.840\.1\.113883\.5\.8#|http:\/\/terminology\.hl7\.org\/CodeSystem\/v3-ActReason#)?/;

/** What is asked for, or what is wrong as a sentence. */
export function readB2b(extensions: unknown): AskedFor | { refused: string } {
  const b2b = (extensions as { 'hl7-b2b'?: unknown } | undefined)?.['hl7-b2b'];
  if (typeof b2b !== 'object' || b2b === null || Array.isArray(b2b)) {
    return { refused: 'The JWT has no extension hl7-b2b, which says for whom and why data are asked for.' };
  }
  const { version, organization_id: organization, purpose_of_use: asked, ...rest } = b2b as { [name: string]: unknown };
  if (version !== '1') return { refused: 'version of hl7-b2b must be "1".' };
  if (typeof organization !== 'string' || organization.length > longest || !URL.canParse(organization)) {
    return { refused: 'organization_id of hl7-b2b must be a URI.' };
  }
  if (!Array.isArray(asked) || asked.length === 0 || asked.length > mostPurposes || !asked.every(isText)) {
    return { refused: 'purpose_of_use of hl7-b2b must be a list of codes.' };
  }
  const purposes = [...new Set(asked.map((code) => code.replace(purposePrefix, '')))];
  const refused = purposes.find((code) => !purposesOf.system.includes(code));
  if (refused !== undefined) {
    return { refused: `The purpose ${refused} is not one for which a system of an organisation may ask here.` };
  }
  for (const name of ['subject_name', 'subject_id', 'subject_role', 'organization_name']) {
    if (rest[name] !== undefined && !isText(rest[name])) return { refused: `${name} of hl7-b2b must be a text.` };
  }
  for (const name of ['consent_policy', 'consent_reference']) {
    const value = rest[name];
    if (value !== undefined && !(Array.isArray(value) && value.every(isText))) {
      return { refused: `${name} of hl7-b2b must be a list of addresses.` };
    }
  }
  if (rest.consent_reference !== undefined && rest.consent_policy === undefined) {
    return { refused: 'consent_reference of hl7-b2b is for a consent_policy, which is missing.' };
  }
  const subject = [rest.subject_name, rest.subject_id].filter((one) => one !== undefined).join(', ');
  return {
    organization,
    purposes,
    ...(rest.organization_name === undefined ? {} : { organizationName: rest.organization_name as string }),
    ...(subject === '' ? {} : { subject }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest;
}
