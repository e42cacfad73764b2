/** Making and using passkeys: the hub's question, the browser's answer, in words where the browser refuses. */
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';
import { postJson } from '../api/request.ts';

/** Whether this browser, at this address, can have passkeys. */
export function hasPasskeys(): boolean {
  return browserSupportsWebAuthn() && window.isSecureContext;
}

/** Makes a passkey; returns what the hub answers once it took it. */
export async function makePasskey<T>(name: string): Promise<T> {
  const optionsJSON = await postJson<PublicKeyCredentialCreationOptionsJSON>('/auth/passkeys/options', {});
  const passkey = await inWords(startRegistration({ optionsJSON }));
  return postJson<T>('/auth/passkeys', { passkey, name });
}

/** The browser's answer to the hub's question at an address. */
export async function answerByPasskey(address: string): Promise<object> {
  const optionsJSON = await postJson<PublicKeyCredentialRequestOptionsJSON>(address, {});
  return inWords(startAuthentication({ optionsJSON }));
}

async function inWords<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    throw new Error(WORDS[name] ?? 'The browser could not use the passkey.');
  }
}

const WORDS: { [error: string]: string } = {
  NotAllowedError: 'It was not confirmed, or took too long. Try again.',
  AbortError: 'It was cancelled.',
  InvalidStateError: 'This device already has a passkey for your account.',
  NotSupportedError: 'This device cannot make passkeys that know their user.',
  SecurityError: 'Passkeys cannot be used at this address.',
};
