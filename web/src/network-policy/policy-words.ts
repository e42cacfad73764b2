/** The network's policy in sentences. */
import type { PolicyRedaction, PolicyRule, WrittenPolicy } from '../api/contract.ts';
import { asSentence, joined, KIND_WORDS, PURPOSE_WORDS } from '../consents/kinds.ts';

export function modelWords(model: WrittenPolicy['model']): string {
  return model === 'opt-in'
    ? 'Nobody sees a person’s record before the person has allowed it.'
    : 'Those who treat a person see its record, unless the person has refused.';
}

/** `Mental health, asked for research, needs the person’s permission.` */
export function ruleWords({ label, purposes, states, proxyFromAge, mode }: PolicyRule): string {
  const what = label === 'unlabelled' ? 'what nobody has looked at yet' : KIND_WORDS[label];
  const limits = [
    purposes
      ? `asked for ${joined(
          purposes.map((code) => PURPOSE_WORDS[code] ?? code),
          'or',
        )}`
      : '',
    states ? `by an organisation in ${joined(states, 'or')}` : '',
    proxyFromAge === undefined ? '' : `by those who act for somebody of ${proxyFromAge} to 17 years`,
  ].filter((limit) => limit !== '');
  const done = mode === 'withheld' ? 'is withheld' : 'needs the person’s permission';
  return `${asSentence([what, ...limits].join(', '))}${limits.length > 0 ? ',' : ''} ${done}.`;
}

/** `Patient.address is left out of what is given to clinician, asked for treatment.` */
export function redactionWords({ elements, purposes, roles, organizations, labels, keep }: PolicyRedaction): string {
  const limits = [
    roles ? `for ${joined(roles, 'or')}` : '',
    organizations ? `of ${joined(organizations, 'or')}` : '',
    purposes
      ? `asked for ${joined(
          purposes.map((code) => PURPOSE_WORDS[code] ?? code),
          'or',
        )}`
      : '',
    labels
      ? `where it is about ${joined(
          labels.map((label) => (label === 'unlabelled' ? 'what nobody has looked at yet' : KIND_WORDS[label])),
          'or',
        )}`
      : '',
  ].filter((limit) => limit !== '');
  const what = keep === 'year' ? `Of ${joined(elements)} only the year is given out` : `${joined(elements)}: left out`;
  return `${[what, ...limits].join(', ')}. Nobody for whom it is so can search by it.`;
}

export function agreementWords(isRequired: boolean): string {
  return isRequired
    ? 'Only organisations that are live, with an agreement in force, send, ask and receive.'
    : 'Organisations need no agreement to send, ask and receive.';
}

export function relationshipWords(mode: 'off' | 'flag' | 'require'): string {
  if (mode === 'off')
    return 'It is not looked at whether an organisation that reads a record has to do with the person.';
  return mode === 'flag'
    ? 'It is recorded what an organisation has to do with a person; where nothing shows it, the privacy officer is shown it.'
    : 'Where nothing shows that an organisation has to do with a person, it sees nothing but who the person is.';
}
