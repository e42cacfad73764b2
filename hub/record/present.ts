/** How a resource of one of a person's sources is shown. */
import { withLabels } from './shown-labels.ts';

/** The person's id, and where it stands in a text in place of the source's. */
export interface ShownAs {
  person: string;
  refs: number[];
}

/** The text of a version that a transaction made, as reads show it. */
export function shownText({
  text,
  settled,
  shownAs,
  labels,
}: {
  text: string | undefined;
  settled?: { text(): string };
  shownAs?: ShownAs;
  labels: number;
}): string | undefined {
  const stored = settled?.text() ?? text;
  if (stored === undefined) return undefined;
  return withLabels(shownAs ? present(stored, shownAs.refs, shownAs.person) : stored, labels);
}

/** The text with the person's id in place of the source patient's, at the offsets recorded when it was stored. */
export function present(text: string, refs: number[], person: string): string {
  let out = '';
  let from = 0;
  for (let i = 0; i < refs.length; i += 2) {
    out += text.slice(from, refs[i]) + person;
    from = refs[i + 1]!;
  }
  return out + text.slice(from);
}
