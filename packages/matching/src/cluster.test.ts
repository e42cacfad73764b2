import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cluster, type Edge, edgeOf } from './cluster.ts';
import { compare } from './compare.ts';
import { named, prepared } from './fixtures.ts';

const link = (a: string, b: string, posterior = 15): Edge => ({ a, b, posterior, outcome: 'link' });

describe('clusters', () => {
  it('join linked records and leave the others alone', () => {
    const { clusters } = cluster([link('a', 'b'), link('b', 'c'), link('a', 'c')], [], [], { records: ['d'] });
    expect(clusters).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('do not grow along a chain of look-alikes', () => {
    const against: Edge = { a: 'a', b: 'c', posterior: -30, outcome: 'different' };
    const { clusters, refused } = cluster([link('a', 'b', 20), link('b', 'c', 12), against], [], []);
    expect(clusters).toEqual([['a', 'b'], ['c']]);
    expect(refused).toEqual([{ a: 'b', b: 'c', reason: 'average' }]);
  });

  it('do not join across a veto', () => {
    const veto: Edge = { a: 'a', b: 'c', posterior: 9, outcome: 'different', veto: true };
    const { clusters, refused } = cluster([link('a', 'b', 20), link('b', 'c', 12), veto], [], []);
    expect(clusters).toEqual([['a', 'b'], ['c']]);
    expect(refused[0]?.reason).toBe('veto');
  });

  it('keep twins apart whose records both look like a third', () => {
    const [one, other] = [prepared(), prepared({ names: named('Monica Okafor') })];
    const vague = prepared({ names: [...named('Martha Okafor'), ...named('Monica Okafor')] });
    const edges = [
      edgeOf('one', 'vague', compare(one, vague)),
      edgeOf('other', 'vague', compare(other, vague)),
      edgeOf('one', 'other', compare(one, other)),
    ];
    expect(edges.map(({ outcome, veto }) => [outcome, veto])).toEqual([
      ['link', false],
      ['link', false],
      ['different', true],
    ]);
    expect(cluster(edges, [], []).clusters).toHaveLength(2);
  });

  it('join a woman under both her names through the record that has both', () => {
    const moved = { phones: ['2165550190'], emails: [], addresses: [] };
    const maiden = prepared();
    const married = prepared({ ...moved, names: named('Martha Jean Hollis') });
    const both = prepared({ ...moved, names: [...named('Martha Hollis'), ...named('Martha Okafor')] });
    const edges = [
      edgeOf('maiden', 'both', compare(maiden, both)),
      edgeOf('married', 'both', compare(married, both)),
      edgeOf('maiden', 'married', compare(maiden, married)),
    ];
    expect(edges[2]).toMatchObject({ outcome: 'review', veto: false });
    expect(cluster(edges, [], []).clusters).toHaveLength(1);
  });

  it('follow human decisions against any score', () => {
    const { clusters, refused } = cluster([link('a', 'b', 60)], [['c', 'd']], [['a', 'b']]);
    expect(clusters).toEqual([['a'], ['b'], ['c', 'd']]);
    expect(refused).toEqual([{ a: 'a', b: 'b', reason: 'must-not-link' }]);
  });

  it('report decisions that contradict each other', () => {
    const { clusters, conflicts } = cluster(
      [],
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
      [['a', 'c']],
    );
    expect(clusters).toEqual([['a', 'b'], ['c']]);
    expect(conflicts).toEqual([['b', 'c']]);
  });

  it('do not join on review', () => {
    expect(cluster([{ a: 'a', b: 'b', posterior: 30, outcome: 'review' }], [], []).clusters).toEqual([['a'], ['b']]);
  });
});

describe('for any edges and decisions', () => {
  const name = fc.constantFrom(...'abcdefgh');
  const pair = fc.tuple(name, name);
  const edge: fc.Arbitrary<Edge> = fc.record({
    a: name,
    b: name,
    posterior: fc.integer({ min: -40, max: 40 }),
    outcome: fc.constantFrom('link' as const, 'review' as const, 'different' as const),
    veto: fc.boolean(),
  });

  it('no cluster holds a must-not pair, every record is in one cluster, and order does not matter', () => {
    fc.assert(
      fc.property(
        fc.array(edge),
        fc.array(pair, { maxLength: 4 }),
        fc.array(pair, { maxLength: 6 }),
        (edges, must, not) => {
          const apart = not.filter(([a, b]) => a !== b);
          const result = cluster(edges, must, apart);
          const members = result.clusters.flat();
          expect(new Set(members).size).toBe(members.length);
          for (const group of result.clusters) {
            for (const [a, b] of apart) expect(group.includes(a) && group.includes(b)).toBe(false);
          }
          const conflicts = new Set(result.conflicts.map(String));
          for (const [a, b] of must) {
            const together = result.clusters.some((group) => group.includes(a) && group.includes(b));
            const reported = conflicts.has(`${a},${b}`) || conflicts.has(`${b},${a}`);
            expect(together || reported || a === b).toBe(true);
          }
          const turned = cluster([...edges].reverse(), [...must].reverse(), [...apart].reverse());
          expect(turned.clusters).toEqual(result.clusters);
        },
      ),
      { numRuns: 500 },
    );
  });
});
