/**
 * What is asked for: `required`, each certificate needs an answer; `named`, one that names somebody to ask needs it;
 * `reachable`, it may be without where nobody answers; `off`, nobody is asked.
 */
export const revocationRules = ['required', 'named', 'reachable', 'off'] as const;
export type RevocationRule = (typeof revocationRules)[number];
