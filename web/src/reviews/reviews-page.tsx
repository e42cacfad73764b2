/** Pairs of records that may or may not be one person: a list, the pair chosen beside each other, and the decision. */
import { SegmentedControl, Stack, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { ReviewPage as Page, Review } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Failed } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { probabilityText } from '../parts/numbers.ts';
import { useTitle } from '../parts/title.ts';
import { ReviewPair } from './review-pair.tsx';

const route = getRouteApi('/signed-in/reviews');

export function ReviewsPage() {
  useTitle('Reviews');
  const { state: chosenState, review: chosenId } = route.useSearch();
  const state = chosenState === 'decided' ? 'decided' : 'open';
  const navigate = useNavigate();
  const query = useInfiniteQuery({
    queryKey: ['reviews', state],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ state, limit: '50' });
      if (pageParam) parameters.set('before', pageParam);
      return getJson<Page>(`/api/reviews?${parameters}`, signal);
    },
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const reviews = query.data?.pages.flatMap((page) => page.reviews) ?? [];
  const open = query.data?.pages[0]?.open;
  const at = Math.max(
    0,
    reviews.findIndex((review) => review.id === chosenId),
  );
  const review = reviews[at];
  const choose = (id: string | undefined) =>
    navigate({ to: '/reviews', search: { state: chosenState, review: id }, replace: true });
  return (
    <Stack gap="md">
      <Title order={1}>Reviews</Title>
      <SegmentedControl
        aria-label="Which reviews"
        style={{ alignSelf: 'flex-start' }}
        value={state}
        data={[
          { value: 'open', label: open === undefined ? 'Open' : `Open (${open})` },
          { value: 'decided', label: 'Decided' },
        ]}
        onChange={(next) => navigate({ to: '/reviews', search: { state: next } })}
      />
      {query.isError && <Failed what="the reviews" error={query.error} retry={() => query.refetch()} />}
      {query.isPending && <p role="status">Loading reviews…</p>}
      {query.data && !review && (
        <Notice>{state === 'open' ? 'Nothing waits for a decision.' : 'Nothing has been decided yet.'}</Notice>
      )}
      {review && (
        <div className="review-columns">
          <ReviewList
            reviews={reviews}
            current={review.id}
            choose={choose}
            more={query.hasNextPage ? () => query.fetchNextPage() : undefined}
          />
          <ReviewPair
            key={review.id}
            review={review}
            next={reviews[at + 1]?.id}
            previous={reviews[at - 1]?.id}
            choose={choose}
          />
        </div>
      )}
    </Stack>
  );
}

function ReviewList({
  reviews,
  current,
  choose,
  more,
}: {
  reviews: Review[];
  current: string;
  choose: (id: string) => void;
  more: (() => void) | undefined;
}) {
  return (
    <nav
      className="panel"
      aria-label="Pairs to review"
      style={{ maxHeight: '80vh', overflow: 'auto', padding: '0.4rem' }}
    >
      <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {reviews.map((review) => (
          <li key={review.id}>
            <button
              type="button"
              className="review-choice"
              aria-current={review.id === current ? 'true' : undefined}
              onClick={() => choose(review.id)}
            >
              <strong>{review.a.name ?? 'No name'}</strong>
              <br />
              {review.b.name ?? 'No name'}
              <br />
              <span className="quiet small">
                {probabilityText(review.probability)} · {formatDateTime(review.createdAt)}
              </span>
              {review.decision && <Mark>{review.decision.decision === 'same' ? 'Same person' : 'Not the same'}</Mark>}
            </button>
          </li>
        ))}
      </ul>
      {more && (
        <button type="button" className="link-button" onClick={more} style={{ padding: '0.5rem' }}>
          Show more
        </button>
      )}
    </nav>
  );
}
