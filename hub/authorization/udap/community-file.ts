/** The operator's file of the trust communities that the hub is in. What reads certificates is not needed for it. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type RevocationRule, revocationRules } from './revocation-rules.ts';

/** A community as the file describes it. Paths are relative to the file. */
export interface DescribedCommunity {
  uri: string;
  name: string;
  /** PEM file of the authorities that are trusted. */
  anchors: string;
  /** Files or addresses of revocation lists, PEM or DER. */
  crls?: string[];
  /** What is asked for of certificates; default `required`. */
  revocation?: RevocationRule;
  /** PEM files: the hub's certificate, with those between it and an anchor after it; and its key. */
  certificate: string;
  key: string;
  /** Where users of apps may be signed in by identity providers of the community. */
  tiered?: DescribedTiered;
  /** Where the hub signs its users in for others of the community: PEM files of its certificate as an identity provider. */
  provider?: DescribedProvider;
}

export interface DescribedProvider {
  certificate: string;
  key: string;
}

/** How the hub shows itself to identity providers, and whom these sign in. */
export interface DescribedTiered {
  /** `mailto:` addresses of those who look after the hub. */
  contacts: string[];
  /** The https address of a PNG, JPG or GIF image that stands for the hub. */
  logo: string;
  /** By a provider's address, the JSON file that says which of its claims make which account; of others accounts have to be connected. */
  accounts?: { [idp: string]: string };
}

/** The files of certificates that a file of communities names; where it cannot be read, it stands for itself. */
export async function communityFiles(file: string): Promise<{ what: string; path: string }[]> {
  try {
    const described = describedCommunities(JSON.parse(await readFile(file, 'utf8')));
    const found = described.flatMap(({ name, anchors, certificate, provider }) => [
      { what: `the trust community ${name}`, path: certificate },
      ...(provider ? [{ what: `the hub as identity provider of ${name}`, path: provider.certificate }] : []),
      { what: `the authorities of the trust community ${name}`, path: anchors },
    ]);
    return found.map(({ what, path }) => ({ what, path: resolve(dirname(file), path) }));
  } catch {
    return [{ what: 'the trust communities', path: file }];
  }
}

const members = ['uri', 'name', 'anchors', 'crls', 'revocation', 'certificate', 'key', 'tiered', 'provider'];

/** The communities that a file describes. @throws Error where it is not as it must be */
export function describedCommunities(content: unknown): DescribedCommunity[] {
  const list = (content as { communities?: unknown })?.communities;
  if (!Array.isArray(list) || list.length === 0) throw new Error('communities must be a list of trust communities.');
  for (const one of list) {
    const unknown = Object.keys(one).find((name) => !members.includes(name));
    if (unknown !== undefined) throw new Error(`A community has ${unknown}, which is not known.`);
    for (const name of ['uri', 'name', 'anchors', 'certificate', 'key']) {
      if (typeof one[name] !== 'string' || one[name] === '') throw new Error(`A community needs ${name}, a text.`);
    }
    if (!URL.canParse(one.uri)) throw new Error(`The uri of a community must be a URI; it is ${one.uri}.`);
    if (one.tiered !== undefined) checkTiered(one.tiered);
    const { provider } = one;
    if (provider !== undefined && !(typeof provider.certificate === 'string' && typeof provider.key === 'string')) {
      throw new Error('The provider of a community needs certificate and key.');
    }
    const { crls } = one;
    if (crls !== undefined && !(Array.isArray(crls) && crls.every((crl) => typeof crl === 'string'))) {
      throw new Error('The crls of a community are a list of files or addresses.');
    }
    if (one.revocation !== undefined && !revocationRules.includes(one.revocation)) {
      throw new Error(`The revocation of a community is one of ${revocationRules.join(', ')}.`);
    }
  }
  if (new Set(list.map(({ uri }) => uri)).size < list.length) throw new Error('Two communities have the same uri.');
  return list as DescribedCommunity[];
}

function checkTiered({ contacts, logo, accounts = {} }: DescribedTiered): void {
  const isContacts = Array.isArray(contacts) && contacts.some((one) => /^mailto:[^\s@]+@[^\s@]+$/.test(one));
  if (!isContacts) throw new Error('The contacts of tiered are a list with a mailto: address.');
  if (typeof logo !== 'string' || !/^https:\/\/[^?#]+\.(?:png|jpe?g|gif)$/i.test(logo)) {
    throw new Error('The logo of tiered is the https address of a PNG, JPG or GIF image.');
  }
  const isOfFiles = Object.values(accounts).every((file) => typeof file === 'string');
  if (!isOfFiles) throw new Error('The accounts of tiered name a file for each identity provider.');
}
