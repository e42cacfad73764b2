import { expect, it } from 'vitest';
import { sortedPage } from './fhir-search-sorted.ts';

it('refuses to read more for one page than a page may cost', async () => {
  const types = Array.from({ length: 21 }, (_, i) => `T${i}`);
  const never = () => {
    throw new Error('It must be refused before anything is read.');
  };
  const asked = { types, places: types.map((_, at) => [at, ''] as [number, string]), count: 500 };
  await expect(sortedPage({ ...asked, request: never, search: never })).rejects.toMatchObject({
    status: 400,
    issues: [{ code: 'too-costly' }],
  });
});
