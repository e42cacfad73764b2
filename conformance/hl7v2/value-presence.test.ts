import { describe, expect, it } from 'vitest';
import { addPresence, emptyPresence, foundIn } from './value-presence.ts';
import { addWork, workList } from './work-list.ts';

describe('values found anywhere', () => {
  const output = { resourceType: 'Patient', gender: 'female', birthDate: '1972-03-11', name: [{ family: 'Sommer' }] };

  it('are those some leaf says, in its own form', () => {
    expect(foundIn(['Sommer', '19720311', '19720311', 'F', '1'], output)).toBe(3);
  });

  it('leave out the delimiters and the numbers of segments', () => {
    const tally = emptyPresence();
    const atoms = [
      { path: 'MSH[1]-1[1].1.1', value: '|' },
      { path: 'PID[1]-1[1].1.1', value: '1' },
      { path: 'PID[1]-5[1].1.1', value: 'Sommer' },
      { path: 'PID[1]-8[1].1.1', value: 'F' },
    ];
    addPresence(tally, atoms, [output], undefined);
    expect(tally).toEqual({ messages: 1, values: 2, found: 1, expected_found: 0 });
  });
});

describe('the work list', () => {
  it('counts what is kept or rejected by field and component, the most frequent first', () => {
    const work = new Map();
    addWork(work, [
      { source: 'PID[1]-5[1].1.1', disposition: 'mapped', target: 'Patient/1#name' },
      { source: 'OBX[1]-9[1].1.1', disposition: 'kept' },
      { source: 'ZZ1[1]-2[1].3.1', disposition: 'kept' },
      { source: 'ZZ1[2]-2[2].3.1', disposition: 'rejected' },
    ]);
    expect(workList(work)).toEqual([
      { field: 'ZZ1-2.3', atoms: 2, messages: 1 },
      { field: 'OBX-9.1', atoms: 1, messages: 1 },
    ]);
  });
});
