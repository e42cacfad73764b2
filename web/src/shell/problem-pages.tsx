/** What is shown when there is no such page, and when a page fails. */
import { Button, Stack, Title } from '@mantine/core';
import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';

export function MissingPage() {
  useTitle('Page not found');
  return (
    <Stack className="page" align="flex-start">
      <Title order={1}>There is no page at this address</Title>
      <p>The address may be mistyped, or what it led to is gone.</p>
      <Link to="/">Go to the start page</Link>
    </Stack>
  );
}

export function CrashedPage({ error, reset }: ErrorComponentProps) {
  useTitle('Something went wrong');
  return (
    <Stack className="page" align="flex-start">
      <Title order={1}>This page could not be shown</Title>
      <Notice tone="bad">{error instanceof Error ? error.message : 'An unexpected error.'}</Notice>
      <Button onClick={reset}>Try again</Button>
      <Link to="/">Go to the start page</Link>
    </Stack>
  );
}
