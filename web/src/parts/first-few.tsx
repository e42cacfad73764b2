/** The first of a long list, with a button for the rest: the newest matter most and all stay within reach. */
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';

export function FirstFew<T>({
  items,
  few,
  what,
  children,
}: {
  items: readonly T[];
  few: number;
  /** What they are, for the button: `encounters`. */
  what: string;
  children: (shown: readonly T[]) => ReactNode;
}) {
  const [all, setAll] = useState(false);
  // A button that would bring out one or two more is not worth its place.
  const shown = all || items.length <= few + 2 ? items : items.slice(0, few);
  return (
    <>
      {children(shown)}
      {shown.length < items.length && (
        <Button mt="xs" size="compact-sm" variant="default" onClick={() => setAll(true)}>
          Show all {items.length} {what}
        </Button>
      )}
    </>
  );
}
