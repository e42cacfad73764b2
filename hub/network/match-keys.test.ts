/** How often hubs that tell each other no demographics find whom hubs find that do: on the people of the simulated region. */
import { compare, type Demographics, matchKeys, prepare } from '@causeway/matching';
import { type TruthRecord, truth } from '@causeway/region';
import { expect, it } from 'vitest';

const people = 600;

function demographicsOf({ stated, identifier, site }: TruthRecord): Demographics {
  const { family, given, middle, suffix, birthDate, sex, address, phone, mobile, email } = stated;
  return {
    names: [{ family, given: middle === undefined ? [given] : [given, middle], ...(suffix ? { suffix } : {}) }],
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(sex === 'U' ? {} : { gender: sex === 'F' ? ('female' as const) : ('male' as const) }),
    addresses: address
      ? [{ line: [address.line], city: address.city, state: address.state, postalCode: address.zip }]
      : [],
    phones: [phone, mobile].filter((one) => one !== undefined),
    emails: [email].filter((one) => one !== undefined),
    identifiers: [{ ...identifier, system: `${site} ${identifier.system}`, type: 'MR' }],
  };
}

it('of the pairs that plain matching joins nearly all share a match key, and hardly any that are two persons', () => {
  const records = [...truth({ people, seed: 7 })].flatMap(({ person, records }) =>
    records
      .filter(({ placeholder, mergedInto }) => placeholder === undefined && mergedInto === undefined)
      .map((record) => {
        const prepared = prepare(demographicsOf(record));
        return { person, site: record.site, prepared, keys: matchKeys(prepared) };
      }),
  );
  const holders = new Map<string, number[]>();
  for (const [i, { keys }] of records.entries())
    for (const key of keys) holders.set(key, [...(holders.get(key) ?? []), i]);
  const found = { true: 0, plain: 0, privately: 0, both: 0, wrong: 0 };
  for (const [i, one] of records.entries()) {
    const sharing = new Set(one.keys.flatMap((key) => holders.get(key)!).filter((other) => other > i));
    for (const other of sharing) if (records[other]!.person !== one.person) found.wrong++;
    for (let j = i + 1; j < records.length && j < i + 40; j++) {
      const other = records[j]!;
      if (other.person !== one.person || other.site === one.site) continue;
      const isPlain = compare(one.prepared, other.prepared).outcome === 'link';
      found.true++;
      if (isPlain) found.plain++;
      if (sharing.has(j)) found.privately++;
      if (isPlain && sharing.has(j)) found.both++;
    }
  }
  expect(found.wrong).toBe(0);
  expect(found.plain).toBeGreaterThan(1_700);
  expect(found.both / found.plain).toBeGreaterThan(0.93);
});
