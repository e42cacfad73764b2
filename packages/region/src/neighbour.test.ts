import { describe, expect, it } from 'vitest';
import { messages, neighbourMessages, neighbourSites, sites } from './index.ts';

const options = { people: 30, seed: 1 };
const town = [...messages(options)];
const neighbour = [...neighbourMessages(options)];
const births = (all: readonly { body: string }[]) =>
  new Set(
    all.flatMap(({ body }) =>
      [...body.matchAll(/^PID\|(?:[^|]*\|){4}([^|^]+)[^|]*\|[^|]*\|(\d{8})/gm)].map((m) => `${m[1]} ${m[2]}`),
    ),
  );

describe('the neighbouring network', () => {
  it('has organisations, record numbers and messages of its own', () => {
    const [own, others] = [sites(), neighbourSites()];
    for (const name of ['key', 'name', 'oid', 'identifierSystem', 'identifierAuthority'] as const) {
      expect(others.map((site) => site[name]).filter((value) => own.some((site) => site[name] === value))).toEqual([]);
    }
    expect(new Set(neighbour.map(({ site }) => site))).toEqual(new Set(others.map(({ key }) => key)));
    const ids = new Set(town.map(({ controlId }) => controlId));
    expect(neighbour.filter(({ controlId }) => ids.has(controlId))).toEqual([]);
    const told = /HGH|HARBORADT|ELLERYLIS|\bERL\b|2\.999\.4187|Millbrook|Corner Street|corner-pharmacy/;
    expect(neighbour.filter(({ body }) => told.test(body)).map(({ controlId }) => controlId)).toEqual([]);
  });

  it('knows some of the town’s people, and others, and tells other things of them', () => {
    const [known, here] = [births(neighbour), births(town)];
    const both = [...known].filter((one) => here.has(one));
    expect(both.length).toBeGreaterThan(3);
    expect(known.size).toBeGreaterThan(both.length + 3);
    const bodies = new Set(town.map(({ body }) => body));
    expect(neighbour.some(({ body }) => bodies.has(body))).toBe(false);
  });
});
