/** People as an organisation registers them, so unlike each other that nobody is taken for somebody else. */
/** @param facility under whose number */
export function asKnown(person: number, facility: string) {
  const letters = (factor: number) =>
    Array.from({ length: 5 }, (_, i) => String.fromCharCode(97 + ((person * factor + i * i * (person + 3)) % 26))).join(
      '',
    );
  const [two, three] = [(n: number) => String(n).padStart(2, '0'), String(person).padStart(3, '0')];
  return {
    id: `${facility}-${person}`,
    family: `B${letters(7)}`,
    given: `K${letters(11)}`,
    birth: `${1930 + (person % 70)}${two(1 + (person % 12))}${two(1 + (person % 28))}`,
    sex: person % 2 ? 'F' : 'M',
    street: `${three} Heron Lane`,
    city: 'Sedgewick',
    postalCode: `04${three}`,
    phone: `(207)555-0${three}`,
  };
}
