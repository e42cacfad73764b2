import { expect, it } from 'vitest';
import { convert, documentOf, sectionOf } from './sample.ts';

it.each(['toString', 'constructor', 'hasOwnProperty', '__proto__'])('%s is a word like any other', (word) => {
  const code = `<code code="8302-2" codeSystem="${word}" codeSystemName="${word}"/>`;
  const named = `<code code="8302-2" codeSystemName="${word}"/>`;
  const entry = (inner: string) =>
    `<observation classCode="OBS" moodCode="EVN"><id root="${word}" extension="1"/>${inner}<statusCode code="${word}"/></observation>`;
  const narrative = `<${word}>a</${word}><content styleCode="${word}">b</content>`;
  const header = `<participant typeCode="${word}"><${word}/></participant>`;
  const entries = `<entry>${entry(code)}</entry><entry>${entry(named)}</entry>`;
  const conversion = convert(documentOf(sectionOf('8716-3', entries, narrative), header));
  const text = JSON.stringify(conversion.facts, (_, value) => {
    if (typeof value === 'function') throw new Error('A function is in a fact.');
    return value;
  });
  expect(text).not.toContain('native code');
});
