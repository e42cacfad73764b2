/** The document's title while a screen is shown. Names of people stay out of it: titles end up in browser histories. */
import { useEffect } from 'react';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Causeway`;
  }, [title]);
}
