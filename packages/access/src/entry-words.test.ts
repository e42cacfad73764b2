import { expect, it } from 'vitest';
import { doneWords, entryLines } from './entry-words.ts';

it.each([
  [{ action: 'read', type: 'AllergyIntolerance' }, 'opened allergy intolerance'],
  [{ action: 'search' }, 'searched for the record'],
  [{ action: 'search', type: 'Patient' }, 'searched for the person’s details'],
  [{ action: 'search', type: 'AuditEvent' }, 'searched for entries of the audit log'],
  [{ action: 'revoke-consent', type: 'Consent' }, 'took back a decision on who may see the record (consent)'],
  [{ action: 'history', type: 'Condition' }, 'looked through the versions of condition'],
  [{ action: 'list-care', type: 'Patient' }, 'looked at who gives care'],
  [{ action: 'docref', type: 'DocumentReference' }, 'looked for documents (document reference)'],
  [{ action: 'deliver', type: 'Observation' }, 'sent on observation'],
  [{ action: 'constructor' }, 'did “constructor”'],
  [{}, 'did “”'],
])('%j is told as %s', (entry, words) => {
  expect(doneWords(entry)).toBe(words);
});

it('tells how an access ended and by what it was decided, where its entry says so', () => {
  const old = new Map(entryLines({ action: 'read', status: 200 }));
  expect([old.get('Answer'), old.get('Decided by')]).toEqual(['status 200', undefined]);
  const entry = { action: 'read', status: 403, outcome: 'refused', policy: 3, agreements: 12, consents: 4711 };
  const lines = new Map(entryLines(entry));
  expect(lines.get('Answer')).toBe('refused, status 403');
  expect(lines.get('Decided by')).toBe(
    'version 3 of the network’s policy, agreements as of step 12, consents as of change 4711',
  );
});

it('tells of a refused access that it was refused, and of nobody by name where nobody is named', () => {
  const lines = new Map(entryLines({ at: '2026-11-26T18:00:00.123Z', action: 'read', type: 'Condition', status: 403 }));
  expect(lines.get('What')).toBe('opened condition — it was refused');
  expect(lines.get('Who')).toBe('not told in the open');
  expect(lines.get('When')).toBe('2026-11-26 18:00:00 UTC');
});
