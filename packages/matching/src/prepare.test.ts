import { describe, expect, it } from 'vitest';
import { compareAddresses, prepareAddresses } from './addresses.ts';
import { compareDates, prepareDate } from './dates.ts';
import { jaroWinkler, withinOneEdit } from './distance.ts';
import { named, person, prepared } from './fixtures.ts';
import { compareNationalIds, prepareIdentifiers } from './identifiers.ts';
import { prepareNames } from './names.ts';
import { metaphone, soundex } from './phonetic.ts';
import { placeholderReason, prepare } from './prepare.ts';
import { fold } from './text.ts';

describe('text', () => {
  it('folds case, accents, apostrophes and punctuation', () => {
    expect(fold("  Núñez-O'Brien, Søren ")).toBe('NUNEZ OBRIEN SOREN');
    expect(fold('Straße')).toBe('STRASSE');
    expect(fold('\ud800 李')).toBe('李');
  });

  it('knows sounds', () => {
    expect(soundex('ROBERT')).toBe('R163');
    expect(soundex('RUPERT')).toBe('R163');
    expect(soundex('ASHCRAFT')).toBe('A261');
    expect(soundex('TYMCZAK')).toBe('T522');
    expect(soundex('')).toBe('');
    expect(metaphone('KNIGHT')).toBe(metaphone('NITE'));
    expect(metaphone('PHILIPS')).toBe(metaphone('FILIPS'));
  });

  it('measures likeness', () => {
    expect(jaroWinkler('MARTHA', 'MARHTA')).toBeCloseTo(0.961, 3);
    expect(jaroWinkler('DIXON', 'DICKSONX')).toBeCloseTo(0.813, 3);
    expect(jaroWinkler('ABC', 'XYZ')).toBe(0);
    expect(withinOneEdit('SMITH', 'SMIHT')).toBe(true);
    expect(withinOneEdit('SMITH', 'SMTH')).toBe(true);
    expect(withinOneEdit('SMITH', 'SNYTH')).toBe(false);
  });
});

describe('names', () => {
  const family = (written: string) => prepareNames([{ family: written, given: ['Ann'] }]).families[0]?.text;

  it('leaves particles and titles out and keeps a name made of them', () => {
    expect(family('van der Berg')).toBe('BERG');
    expect(family('de la Cruz')).toBe('CRUZ');
    expect(family("O' Neil")).toBe('ONEIL');
    expect(family('Mc Donald')).toBe('MCDONALD');
    expect(family('Le')).toBe('LE');
  });

  it('knows compound names by their parts', () => {
    const [name] = prepareNames([{ family: 'Garcia-Lopez', given: ['Ann'] }]).families;
    expect(name).toMatchObject({ text: 'GARCIALOPEZ', parts: ['GARCIA', 'LOPEZ'] });
  });

  it('takes suffixes from where they are written', () => {
    expect(prepareNames([{ family: 'Hill Jr.', given: ['Ann'] }])).toMatchObject({ suffix: 2 });
    expect(prepareNames([{ family: 'Hill', given: ['Ann'], suffix: 'III' }])).toMatchObject({ suffix: 3 });
    expect(prepareNames([{ family: 'Hill', given: ['Ann', 'V'] }])).toMatchObject({ middles: ['V'] });
  });

  it.each([
    ['John Doe', 'John or Jane Doe'],
    ['Jane Q Doe', 'John or Jane Doe'],
    ['Baby Boy Okafor', 'unnamed newborn'],
    ['BabyGirl Okafor', 'unnamed newborn'],
    ['Unknown Unknown', 'unknown person'],
    ['Unidentified Male', 'unknown person'],
    ['Test Patient', 'test patient'],
    ['ZZTest Okafor', 'test patient'],
    ['Alpha Trauma', 'emergency alias'],
    ['XXX XXX', 'no real name'],
    ['', 'no name'],
  ])('%s is a placeholder', (written, reason) => {
    expect(placeholderReason(prepared({ names: named(written) }))).toBe(reason);
  });

  it.each(['Sarah Doe', 'Martha Okafor', 'Beatrice Boyd', 'Li Wei', 'Testa Rossi', 'X Li'])(
    '%s is a name',
    (written) => {
      expect(placeholderReason(prepared({ names: named(written) }))).toBeUndefined();
    },
  );

  it('is no placeholder once one real name is known', () => {
    const names = [...named('Baby Girl Okafor'), ...named('Zora Okafor')];
    expect(placeholderReason(prepared({ names }))).toBeUndefined();
  });
});

describe('dates', () => {
  const level = (a: string, b: string) => compareDates(prepareDate(a), prepareDate(b));

  it.each([
    ['1971-06-23', '1971-06-23', 'exact'],
    ['1971-01-01', '1971-01-01', 'exactNewYear'],
    ['1971-06-23', '1971-06-28', 'oneEdit'],
    ['1971-06-23', '1917-06-23', 'oneEdit'],
    ['1971-06-03', '1971-03-06', 'swapped'],
    ['1971-06-23', '1971-09-14', 'sameYear'],
    ['1971-06-23', '1971-11-23', 'twoParts'],
    ['1971-06-23', '1971-01-01', 'newYear'],
    ['1971-06-23', '1971-06', 'monthKnown'],
    ['1971', '1971-06-23', 'yearKnown'],
    ['1971-06-23', '1998-06-23', 'different'],
    ['1971-06-23', '1968-02-04', 'different'],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(level(a, b)).toBe(expected);
  });

  it('takes fillers and nonsense for unknown', () => {
    for (const written of ['1900-01-01', '9999-12-31', '0000', 'yesterday', '']) {
      expect(prepareDate(written)).toBeUndefined();
    }
    expect(prepareDate('1971-13-40')).toEqual({ year: 1971 });
    expect(prepareDate('19710623')).toEqual({ year: 1971, month: 6, day: 23 });
  });
});

describe('addresses', () => {
  const level = (a: string, b: string, codes = ['44055', '44055']) => {
    const [x, y] = [a, b].map((line, at) => prepareAddresses([{ line: [line], postalCode: codes[at] }])[0]!);
    return compareAddresses(x!, y!);
  };

  it.each([
    ['14 Quarry Lane', '14 QUARRY LN.', 'same'],
    ['14 North Quarry Lane', '14 N Quarry Ln', 'same'],
    ['P.O. Box 12', 'PO BOX 12', 'same'],
    ['14 Quarry Lane Apt 2', '14 Quarry Lane Apt 5', 'similar'],
    ['14 Quarry Lane', '14 Quary Lane', 'similar'],
    ['14 Quarry Lane', '41 Quarry Lane', 'similar'],
    ['14 Quarry Lane', '9 Mill Road', 'postalCode'],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(level(a, b)).toBe(expected);
  });

  it('does not take the same street elsewhere for the same address', () => {
    expect(level('14 Quarry Lane', '14 Quarry Lane', ['44055', '90210'])).toBe('different');
  });

  it('leaves out what stands for no address', () => {
    expect(prepareAddresses([{ line: ['Homeless'], city: 'Elmbridge' }])).toEqual([]);
    expect(prepareAddresses([{ line: [] }])).toEqual([]);
  });
});

describe('identifiers and contact points', () => {
  it('tells national identifiers from record numbers, and drops fillers', () => {
    const { national, local } = prepareIdentifiers([
      { system: 'http://hl7.org/fhir/sid/us-ssn', value: '219-09-9991' },
      { system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-99-9999' },
      { system: 'http://hl7.org/fhir/sid/us-ssn', value: '000-12-3456' },
      { system: 'urn:example:clinic', value: 'A-17', type: 'MR' },
      { system: 'urn:example:clinic', value: '0000000', type: 'MR' },
      { system: '', value: 'A-18' },
    ]);
    expect(national).toEqual([{ system: 'ssn', value: '219099991' }]);
    expect(local).toEqual([{ system: 'urn:example:clinic', value: 'A17' }]);
  });

  it('compares the last four digits where only those are known', () => {
    const ids = (a: string, b: string) => compareNationalIds({ system: 'ssn', value: a }, { system: 'ssn', value: b });
    expect(ids('219099991', '9991')).toBe('lastFour');
    expect(ids('219099991', '219099981')).toBe('oneEdit');
    expect(ids('219099991', '457555462')).toBe('different');
    expect(compareNationalIds({ system: 'a', value: '12345' }, { system: 'b', value: '12345' })).toBeNull();
  });

  it('normalises phones and emails, and drops fillers', () => {
    const p = prepare(
      person({
        phones: ['+1 (440) 321-8765 ext 12', '4403218765', '555-1212', '000-000-0000'],
        emails: [' M@Example.org ', 'none@none', 'no address'],
      }),
    );
    expect(p.phones).toEqual(['4403218765']);
    expect(p.emails).toEqual(['m@example.org']);
  });
});
