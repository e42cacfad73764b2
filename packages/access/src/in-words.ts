/** An explanation in plain words, for the person whom it concerns. */
import type { Layer } from './explain.ts';
import type { LabelName } from './label-bits.ts';

/** How people call what an explanation is about. */
export interface Names {
  /** Who asks, at the beginning of a sentence: `Clinicians of Harbor Hospital`. */
  asker: string;
  /** What for: `for treatment`. */
  purpose: string;
  /** Why nothing at all may be asked for, where that has a reason of its own. */
  refused?: string | undefined;
  /** A consent, by the id that its provisions have: `the decision of 3 May 2026, said by the person`. */
  consent(id: string): string;
}

export const labelWords: Record<LabelName, string> = {
  unlabelled: 'not looked at yet for sensitive data',
  part2: 'a record of a programme for substance use (42 CFR Part 2)',
  psychotherapyNotes: 'psychotherapy notes',
  substanceUse: 'substance use',
  mentalHealth: 'mental health',
  hiv: 'HIV',
  sexuallyTransmitted: 'a sexually transmitted infection',
  violence: 'violence',
  reproduction: 'reproductive health',
  genetics: 'genetics',
  restricted: 'restricted',
  veryRestricted: 'very restricted',
};

/** What a layer says, as a sentence. */
export function inWords(layer: Layer, names: Names): string {
  const { because, labels, byRule, consents } = layer;
  const { asker, purpose } = names;
  const of = labels.map((name) => labelWords[name]).join(', ');
  const rule = byRule.length > 0 ? ', by a rule of this network' : '';
  const said = consents.map(names.consent).join(' and ');
  switch (because) {
    case 'custodian':
      return 'Whoever runs the hub may see everything. Each access is recorded.';
    case 'type-allowed':
      return `${asker} may ask for records of this kind ${purpose}.`;
    case 'type-not-allowed':
      return names.refused ?? `${asker} may not see records of this kind ${purpose}.`;
    case 'no-patient':
      return 'It is about no patient.';
    case 'admitted':
      return 'It is of this person.';
    case 'not-admitted':
      return 'It is, or could be, of somebody else than the persons whom this access reaches.';
    case 'no-label':
      return 'It is not marked as sensitive.';
    case 'labelled':
      return `It is marked as ${of}, which is kept from them ${purpose}${rule}.`;
    case 'own-record':
      return of === ''
        ? 'It is their organisation’s own record, which needs no permission.'
        : `It is marked as ${of}, and is their organisation’s own record.`;
    case 'nothing-said':
      return 'No decision of the person refuses it.';
    case 'refused':
      return `It is refused by ${said}.`;
    case 'permission-given':
      return `${needed(of, rule)}, and it is given by ${said}.`;
    case 'permission-missing':
      return `${needed(of, rule)}, and no decision of the person gives it.`;
    case 'permission-not-needed':
      return 'Permission is not needed.';
    case 'emergency':
      return layer.layer === 'label'
        ? `It is marked as ${of}, which an emergency access may see.`
        : layer.layer === 'refusal'
          ? 'An emergency access goes on where the person refused.'
          : 'An emergency access needs no permission.';
    case 'not-asked':
      return layer.layer === 'label'
        ? `It is marked as ${of}, which is not kept from them ${purpose}.`
        : 'What the person refused does not bind access of this kind.';
  }
}

function needed(labels: string, rule: string): string {
  return labels === '' ? 'Permission is needed' : `It is marked as ${labels}, for which permission is needed${rule}`;
}
