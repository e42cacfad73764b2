import { isFhirError, scanBundle, validate } from '@causeway/fhir';
import { expect, test } from 'vitest';
import { patientStory } from './bundle.ts';

test('the same story again, and another for another person', () => {
  expect(patientStory('a', 1)).toEqual(patientStory('a', 1));
  expect(patientStory('a', 1).text).not.toBe(patientStory('a', 2).text);
});

test('a story is a transaction of valid resources that name each other', () => {
  for (let serial = 0; serial < 5; serial++) {
    const story = patientStory('a', serial);
    const bundle = scanBundle(story.text);
    if (isFhirError(bundle)) throw new Error(bundle.error);
    expect(bundle.entries).toHaveLength(story.resources);
    expect(story.resources).toBeGreaterThan(90);
    const urls = new Set(bundle.entries.map(({ fullUrl }) => fullUrl));
    expect(urls.size).toBe(story.resources);
    for (const { resource } of bundle.entries) {
      expect(validate(resource!.value).filter(({ severity }) => severity === 'error')).toEqual([]);
      for (const { value } of resource!.references) expect(urls).toContain(value);
    }
    expect(bundle.entries[story.patientEntry]!.resource!.resourceType).toBe('Patient');
  }
});
