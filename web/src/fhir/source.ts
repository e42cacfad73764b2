/**
 * Where a stored resource came from: the organisation (`meta.tag`), the message (`meta.source`) and the clinical state
 * that decides whether it may be shown as a fact at all.
 */
import type { Resource } from '@medplum/fhirtypes';

const SOURCE_TAG = 'urn:causeway:source';
/** Of what another hub told: who stated it there. */
const ORIGIN_TAG = 'urn:causeway:origin-organization';
const MESSAGE_URN = 'urn:causeway:message:';

export interface FactSource {
  /** The organisation's key on the network, `''` when the resource does not say. */
  key: string;
  name: string;
  /** Id of the message that brought this version, when it came by message. */
  message: string | undefined;
  /** When the hub stored this version. */
  storedAt: string | undefined;
}

/** Source of one resource. */
export function sourceOf(resource: Resource): FactSource {
  const tag = resource.meta?.tag?.find((each) => each.system === SOURCE_TAG);
  const origins = resource.meta?.tag?.filter((each) => each.system === ORIGIN_TAG) ?? [];
  const told = origins.map(({ display, code }) => display ?? code).join(', ');
  const name = tag?.display ?? tag?.code ?? 'Source not stated';
  const uri = resource.meta?.source ?? '';
  return {
    key: tag?.code ?? '',
    name: told === '' ? name : `${told} (${name})`,
    message: uri.startsWith(MESSAGE_URN) ? uri.slice(MESSAGE_URN.length).split('#')[0] : undefined,
    storedAt: resource.meta?.lastUpdated,
  };
}

/** True when the source withdrew the statement (`entered-in-error`): it must not be shown as a fact. */
export function isWithdrawn(resource: Resource): boolean {
  const { status, verificationStatus, docStatus } = resource as {
    status?: unknown;
    verificationStatus?: { coding?: { code?: string }[] };
    docStatus?: string;
  };
  if (status === 'entered-in-error' || docStatus === 'entered-in-error') return true;
  return !!verificationStatus?.coding?.some((coding) => coding.code === 'entered-in-error');
}
