/** Two records side by side: what differs, why they score as they do, and the decision. */
import { Button, Group, Kbd, Stack } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { FieldEvidence, Review, ReviewSide } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { formatDate, formatDateTime } from '../fhir/dates.ts';
import { genderText, identifierText, type SystemNames } from '../fhir/people.ts';
import { useSystemNames } from '../parts/identifier.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { probabilityText } from '../parts/numbers.ts';
import { organisationName } from '../parts/organisation.ts';
import { ReasonField } from '../parts/reason-field.tsx';
import type { Tone } from '../theme/tones.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import { Evidence } from './evidence.tsx';
import { guardWords } from './guard-words.ts';

export function ReviewPair({
  review,
  next,
  previous,
  choose,
}: {
  review: Review;
  next: string | undefined;
  previous: string | undefined;
  choose: (id: string | undefined) => void;
}) {
  useHotkeys([
    ['j', () => next && choose(next)],
    ['k', () => previous && choose(previous)],
  ]);
  return (
    <Stack gap="sm">
      <section className="panel" aria-labelledby="pair-title">
        <h2 id="pair-title">
          One person?{' '}
          <span className="quiet">
            score {review.score.toFixed(1)} bits, probability {probabilityText(review.probability)}
          </span>
        </h2>
        <Sides review={review} />
      </section>
      {review.kind === 'overlay' && (
        <Notice tone="bad" title="Perhaps an overlay.">
          An organisation changed this record so much that it may speak of another human than before.
        </Notice>
      )}
      {review.guards.length > 0 && (
        <Notice tone="warn" title="Not linked by the index because:">
          <ul style={{ margin: '0.2rem 0 0', paddingLeft: '1.1rem' }}>
            {review.guards.map((guard) => (
              <li key={guard}>{guardWords(guard)}</li>
            ))}
          </ul>
        </Notice>
      )}
      <section className="panel" aria-labelledby="evidence-title">
        <h2 id="evidence-title">Why they score as they do</h2>
        <div className="scroll-x">
          <Evidence explanation={review.explanation} score={review.score} />
        </div>
      </section>
      {review.decision ? (
        <Decided decision={review.decision} />
      ) : (
        <Decide review={review} next={next ?? previous} choose={choose} />
      )}
    </Stack>
  );
}

/** The rows, and the fields of the index's explanation that each stands for. */
const ROWS: { label: string; fields: string[]; of: (side: ReviewSide, names: SystemNames) => string }[] = [
  { label: 'Name', fields: ['family', 'given', 'middle', 'suffix'], of: (side) => side.name ?? '' },
  { label: 'Birth date', fields: ['birthDate'], of: (side) => formatDate(side.birthDate) },
  { label: 'Sex', fields: ['sex'], of: (side) => (side.gender ? genderText(side.gender) : '') },
  { label: 'Address', fields: ['address'], of: (side) => side.address ?? '' },
  { label: 'Phone', fields: ['phone'], of: (side) => side.phone ?? '' },
  {
    label: 'Identifiers',
    fields: ['nationalId', 'identifier'],
    of: (side, names) => side.identifiers.map((each) => identifierText(each, names)).join(', '),
  },
];

const AGREEMENT_TONE: Record<Agreement, Tone> = { same: 'good', close: 'info', differs: 'warn', none: 'neutral' };

function Sides({ review: { a, b, explanation } }: { review: Review }) {
  const names = useSystemNames();
  return (
    <div className="scroll-x">
      <table className="facts sides">
        <thead>
          <tr>
            <th scope="col" style={{ width: '7rem' }}>
              Field
            </th>
            {[a, b].map((side) => (
              <th key={side.patient} scope="col">
                <Link to="/people/$id" params={{ id: side.patient }}>
                  {organisationName(side)}
                </Link>
              </th>
            ))}
            <th scope="col" style={{ width: '13rem' }}>
              Agreement
            </th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map(({ label, fields, of }) => {
            const [left, right] = [of(a, names), of(b, names)];
            const { agreement, words } = agreementOf(explanation, fields);
            const differing = agreement === 'differs' || agreement === 'close';
            return (
              <tr key={label} data-agreement={agreement}>
                <th scope="row">{label}</th>
                {[
                  { side: 'a', text: left, other: right },
                  { side: 'b', text: right, other: left },
                ].map(({ side, text, other }) => (
                  <td key={side}>
                    {differing && text && other ? <Differing text={text} other={other} /> : text || <Missing />}
                  </td>
                ))}
                <td>
                  {words.map((each) => (
                    <div key={each}>
                      <Mark tone={AGREEMENT_TONE[agreement]}>{each}</Mark>
                    </div>
                  ))}
                </td>
              </tr>
            );
          })}
          <OnlyInEvidence explanation={explanation} />
        </tbody>
      </table>
    </div>
  );
}

/** Fields that the index compared and a side does not carry, such as the email address. */
function OnlyInEvidence({ explanation }: { explanation: FieldEvidence[] }) {
  const shown = new Set(ROWS.flatMap(({ fields }) => fields));
  return explanation
    .filter((each) => !shown.has(each.field) && each.level !== 'missing')
    .map((each) => {
      const { agreement, words } = agreementOf([each], [each.field]);
      return (
        <tr key={each.field} data-agreement={agreement}>
          <th scope="row">{each.label}</th>
          <td>{each.a ?? <Missing />}</td>
          <td>{each.b ?? <Missing />}</td>
          <td>
            <Mark tone={AGREEMENT_TONE[agreement]}>{words[0]}</Mark>
          </td>
        </tr>
      );
    });
}

function Missing() {
  return <span className="quiet">not recorded</span>;
}

/** The words of `text`, those that `other` lacks set off. */
function Differing({ text, other }: { text: string; other: string }) {
  const known = new Set(other.toLowerCase().split(/[\s,]+/));
  return text.split(/(\s+)/).map((word, at) => {
    const differs = word.trim() !== '' && !known.has(word.toLowerCase().replaceAll(',', ''));
    // biome-ignore lint/suspicious/noArrayIndexKey: words have no identity beyond their place
    return differs ? <mark key={at}>{word}</mark> : word;
  });
}

function Decided({ decision }: { decision: NonNullable<Review['decision']> }) {
  return (
    <Notice
      tone={decision.decision === 'same' ? 'good' : 'neutral'}
      title={decision.decision === 'same' ? 'Same person.' : 'Not the same person.'}
    >
      Decided by {decision.by}, {formatDateTime(decision.at)}
      {decision.reason && `: ${decision.reason}`}
    </Notice>
  );
}

function Decide({
  review,
  next,
  choose,
}: {
  review: Review;
  next: string | undefined;
  choose: (id: string | undefined) => void;
}) {
  const [reason, setReason] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const client = useQueryClient();
  const decide = useMutation({
    mutationFn: (decision: 'same' | 'different') =>
      postJson<Review>(`/api/reviews/${encodeURIComponent(review.id)}`, { decision, reason: reason.trim() }),
    onSuccess: async () => {
      choose(next);
      client.removeQueries({ queryKey: ['record'] });
      await client.invalidateQueries({ queryKey: ['reviews'] });
    },
  });
  const decideIf = (decision: 'same' | 'different') => {
    if (reason.trim() === '') field.current?.focus();
    else if (!decide.isPending) decide.mutate(decision);
  };
  useHotkeys([
    ['s', () => decideIf('same')],
    ['d', () => decideIf('different')],
    ['r', () => field.current?.focus()],
  ]);
  return (
    <section className="panel" aria-labelledby="decide-title">
      <h2 id="decide-title">Decide</h2>
      <ReasonField
        ref={field}
        label="Reason"
        description="What you checked; it is kept with the decision"
        value={reason}
        onChange={setReason}
        onKeyDown={(event) => event.key === 'Escape' && field.current?.blur()}
      />
      {decide.isError && <Notice tone="bad">{decide.error.message}</Notice>}
      <Group mt="sm">
        <Button loading={decide.isPending && decide.variables === 'same'} onClick={() => decideIf('same')}>
          Same person
        </Button>
        <Button
          variant="default"
          loading={decide.isPending && decide.variables === 'different'}
          onClick={() => decideIf('different')}
        >
          Not the same
        </Button>
        <span className="small quiet">
          <Kbd>R</Kbd> reason, <Kbd>Esc</Kbd> leave it, <Kbd>S</Kbd> same, <Kbd>D</Kbd> not the same, <Kbd>J</Kbd>{' '}
          <Kbd>K</Kbd> next, previous
        </span>
      </Group>
    </section>
  );
}
