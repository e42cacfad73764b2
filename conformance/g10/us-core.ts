/** What US Core asks of servers, profile by profile, as the test kit's `metadata.yml` files tell it for each version. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

/** A search parameter as a profile uses it. */
export interface SearchDefinition {
  paths: string[];
  /** The data type at these paths. */
  type: string;
  /** Codes that the profile expects; none for any. */
  values: string[];
  /** Comparators that have to be understood. */
  comparators: string[];
  /** Whether several values, of which any may be met, have to be understood. */
  takesSeveral: boolean;
}

/** A profile in a version of US Core. */
export interface Profile {
  version: string;
  name: string;
  resource: string;
  /** The parameters of each search that SHALL be supported. */
  searches: string[][];
  definitions: Map<string, SearchDefinition>;
  interactions: string[];
  includes: string[];
  revincludes: string[];
  /** Paths of elements that have to be supported. */
  mustSupport: string[];
}

// biome-ignore lint/suspicious/noExplicitAny: files of the test kit.
type Read = any;

const folder = 'conformance/us-core-test-kit/lib/us_core_test_kit/generated';

/** The profiles of all versions, or of some. */
export function readProfiles(cases: string, versions?: readonly string[]): Profile[] {
  const root = join(cases, folder);
  const found = existsSync(root) ? readdirSync(root).sort() : [];
  return found
    .filter((version) => versions?.includes(version) ?? true)
    .flatMap((version) =>
      readdirSync(join(root, version))
        .sort()
        .flatMap((name) => readProfile(version, name, join(root, version, name, 'metadata.yml'))),
    );
}

function readProfile(version: string, name: string, path: string): Profile[] {
  if (!existsSync(path)) return [];
  const told = load(readFileSync(path, 'utf8')) as Read;
  const shall = (list: Read[] = []) => list.filter((one) => one[':expectation'] === 'SHALL');
  const definitions = Object.entries((told[':search_definitions'] ?? {}) as Read).map(
    ([key, one]: [string, Read]): [string, SearchDefinition] => [
      key.slice(1),
      {
        paths: one[':paths'],
        type: one[':type'],
        values: one[':values'] ?? [],
        comparators: Object.entries(one[':comparators'] ?? {}).flatMap(([comparator, strength]) =>
          strength === 'SHALL' ? [comparator.slice(1)] : [],
        ),
        takesSeveral: one[':multiple_or'] === 'SHALL',
      },
    ],
  );
  return [
    {
      version,
      name,
      resource: told[':resource'],
      searches: shall(told[':searches']).map((one) => one[':names']),
      definitions: new Map(definitions),
      interactions: shall(told[':interactions']).map((one) => one[':code']),
      includes: told[':include_params'] ?? [],
      revincludes: told[':revincludes'] ?? [],
      mustSupport: (told[':must_supports']?.[':elements'] ?? []).map((one: Read) => one[':path']),
    },
  ];
}
