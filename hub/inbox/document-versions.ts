/**
 * Versions of one document (C-CDA: one `setId`): a version that replaces those before it withdraws what they alone
 * stated and it does not; a version that comes when a later one has taken its place changes nothing. Whatever is in
 * doubt stays: what another message states too, what a client or another message changed, and all of it where a message
 * cannot be read that may state it.
 */
import { isFhirError, scanResource } from '@causeway/fhir';
import type { ConversionIssue, DocumentVersion } from '@causeway/mapping';
import { canBeWithdrawn, withdrawn } from '@causeway/mapping/facts';
import type { Resource } from '@medplum/fhirtypes';
import type { FactStore } from './apply.ts';
import type { ConvertedMessage } from './converted.ts';
import { keyOf } from './fold.ts';

/** What a message states, as far as versions of documents are concerned. */
export interface Statement {
  readonly id: string;
  readonly document: DocumentVersion | undefined;
  /** Why it cannot be read. */
  readonly error: string | undefined;
  readonly stated: readonly StatedKey[];
}

/** A resource that a message states. */
export interface StatedKey {
  key: string;
  type: string;
  id: string;
  /** Whether it may be withdrawn, as a statement of a document. */
  isOfDocument: boolean;
}

export function statedBy({ facts }: Pick<ConvertedMessage, 'facts'>): StatedKey[] {
  return facts.map(({ type, id, mode }) => {
    return { key: keyOf(type, id), type, id, isOfDocument: mode === 'replace' && canBeWithdrawn(type) };
  });
}

export function statementOf(id: string, conversion: ConvertedMessage): Statement {
  return { id, document: conversion.document, error: conversion.error, stated: statedBy(conversion) };
}

/** What a version of a document means for what is known. */
export interface Judgement {
  /** The number of a later version that has taken its place. */
  newer?: number;
  /** Whether it takes the place of the versions before. */
  isReplacing: boolean;
  /** What no message states any more, by its key, and the versions of the document that stated it. */
  dropped: Map<string, { type: string; id: string }>;
  older: ReadonlySet<string>;
  /** Whether some message cannot be read that may state what was dropped. */
  isUncertain: boolean;
}

/** Judges a version by the messages that were applied before, of whatever kind. Undefined: nothing follows from it. */
export function judgeVersion(message: Statement, before: readonly Statement[]): Judgement | undefined {
  const { document } = message;
  if (document === undefined) return undefined;
  const others = before.filter(({ id }) => id !== message.id);
  const versions = others.filter((one) => one.document?.document === document.document);
  const isUncertain = others.some(({ error }) => error !== undefined);
  const nothing = { isReplacing: false, dropped: new Map(), older: new Set<string>(), isUncertain };
  const newer = versions
    .map((one) => one.document!)
    .filter(({ number, replaces }) => replaces && number > document.number);
  if (newer.length > 0) return { ...nothing, newer: Math.max(...newer.map(({ number }) => number)) };
  if (!document.replaces) return isUncertain ? nothing : undefined;
  const replaced = versions.filter((one) => one.document!.number < document.number);
  const older = new Set(replaced.map(({ id }) => id));
  const dropped: Judgement['dropped'] = new Map();
  for (const { stated } of replaced) {
    for (const { key, type, id, isOfDocument } of stated) if (isOfDocument) dropped.set(key, { type, id });
  }
  for (const one of [message, ...others]) {
    if (dropped.size === 0) break;
    if (!older.has(one.id)) for (const { key } of one.stated) dropped.delete(key);
  }
  return { isReplacing: true, dropped, older, isUncertain };
}

/** Whether every version of a resource was made by these messages. @param makers of its versions; null: a client */
export function isOnlyOf(messages: ReadonlySet<string>, message: string, makers: readonly (string | null)[]): boolean {
  return makers.every((maker) => maker !== null && (messages.has(maker) || maker === message));
}

/** Any statement that comes later counts for more than a withdrawal: nobody states what was withdrawn. */
const beforeAll = new Date(0).toISOString();

/** Withdraws facts. @returns `Type/id` of those that were known and stood, with the version they have since */
export function withdraw(
  store: FactStore,
  facts: Iterable<{ type: string; id: string }>,
  message: string,
): { reference: string; version: number }[] {
  const changed: { reference: string; version: number }[] = [];
  for (const { type, id } of facts) {
    const known = store.get(type, id)?.text;
    const after = known === undefined ? undefined : withdrawn(JSON.parse(known) as Resource);
    if (after === undefined) continue;
    const scanned = scanResource(JSON.stringify(after));
    if (isFhirError(scanned)) throw new Error(`What was withdrawn cannot be stored: ${scanned.error}`);
    const { version } = store.put(scanned, type, id, { asOf: beforeAll, message });
    changed.push({ reference: `${type}/${id}`, version });
  }
  return changed;
}

/** The conversion with a remark on what became of the version. */
export function withRemark(conversion: ConvertedMessage, message: string): ConvertedMessage {
  const issue: ConversionIssue = {
    severity: 'information',
    code: 'business-rule',
    source: '/ClinicalDocument/versionNumber',
    message,
  };
  return { ...conversion, issues: [...conversion.issues, issue], issueCount: conversion.issueCount + 1 };
}

/** What became of a version, in a sentence; undefined where there is nothing to say. */
export function remarkOn(judgement: Judgement, withdrawnCount: number): string | undefined {
  const { newer, older, dropped, isUncertain, isReplacing } = judgement;
  if (newer !== undefined)
    return `version ${newer} of the document came before, and stands: nothing of this one is taken`;
  if (!isReplacing) return undefined;
  if (older.size === 0) {
    const which = isUncertain ? 'not found, since not all messages can be read' : 'not known';
    return `the version that the document replaces is ${which}: nothing is withdrawn`;
  }
  if (dropped.size === 0) return undefined;
  const left = dropped.size - withdrawnCount;
  const said = `of ${dropped.size} statements that only earlier versions made, ${withdrawnCount} are withdrawn`;
  if (left === 0) return said;
  const why = isUncertain
    ? 'a message cannot be read that may make them too'
    : 'others changed them, or took them back';
  return `${said}; ${left} stay: ${why}`;
}
