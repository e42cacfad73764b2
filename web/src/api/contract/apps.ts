/** Apps and registered clients. */

/** What an app asks for, before it is connected. */
export interface AppQuestion {
  client: { id: string; name: string; uri?: string; isNative: boolean };
  /** Where the browser goes back to. */
  returnTo: string;
  scopes: string[];
  /** Whether it is told who the user is, to sign them in elsewhere. */
  signsIn?: boolean;
  needsPatient: boolean;
  /** The patient from whose chart the app was opened. */
  launch?: { patient: string; encounter?: string };
}

export interface ConnectedApp {
  id: string;
  client: string;
  name: string;
  scopes: string[];
  patient?: string;
  since: string;
  expires: string;
}

export type ClientState = 'pending' | 'active' | 'suspended';

/** A registered client; the metadata are those of RFC 7591. */
export interface RegisteredClient {
  id: string;
  name: string;
  state: ClientState;
  organization: string;
  metadata: {
    redirect_uris?: string[];
    grant_types?: string[];
    token_endpoint_auth_method?: string;
    allowed_scopes?: string;
    launch_url?: string;
    jwks_uri?: string;
  };
  registered: string;
  registeredBy?: string;
  /** Of a client of a trust community (UDAP). */
  udap?: { community: string; uri: string; certificateExpires?: string; organizations?: ClientOrganization[] };
}

/** An organisation for which such a client asks; without a participant it waits. */
export interface ClientOrganization {
  organization: string;
  name?: string;
  participant?: string;
  asked: string;
}

/** A brand: an Organization as its owner describes it (SMART App Launch, User-access Brands). */
export interface Brand {
  resourceType: 'Organization';
  name: string;
  alias?: string[];
  identifier?: { system?: string; value?: string }[];
  telecom?: { system?: string; value?: string }[];
  address?: { line?: string[]; city?: string; state?: string; postalCode?: string; country?: string }[];
  extension?: BrandExtension[];
}

export interface BrandExtension {
  url: string;
  valueUrl?: string;
  valueString?: string;
  valueMarkdown?: string;
  extension?: BrandExtension[];
}

/** A resource of the Bundle of brands, as far as it is an Endpoint. */
export interface BrandedEndpoint {
  resourceType: string;
  name: string;
  address: string;
}
