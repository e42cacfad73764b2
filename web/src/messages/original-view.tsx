/**
 * The original as it was received: HL7 v2 by segments and fields, XML and JSON laid out. A place can be shown (of a
 * ledger entry), and choosing a place tells its source path.
 */
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef } from 'react';
import type { Dialect } from '../api/contract.ts';
import { fieldOf, viewSegments } from './er7-view.ts';
import { fieldName } from './field-names.ts';
import { placesIn } from './places.ts';
import { prettyJson, prettyXml } from './pretty.ts';

interface Choice {
  /** A ledger entry's `source` whose place is to be shown. */
  highlighted: string | undefined;
  /** Told the source path of a place that was chosen in the original. */
  onChoose?: (source: string) => void;
}

export function OriginalView({ original, dialect, ...choice }: Choice & { original: string; dialect: Dialect }) {
  const place = useRef<HTMLElement>(null);
  const { highlighted } = choice;
  useEffect(() => {
    const [box, struck] = [place.current, place.current?.querySelector('.struck')];
    if (!highlighted || !box || !struck) return;
    const [inner, outer] = [struck.getBoundingClientRect(), box.getBoundingClientRect()];
    // The box scrolls, the page only as far as it must: the table that was clicked stays where it is.
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      box.scrollTop += inner.top - outer.top - box.clientHeight / 3;
    if (outer.bottom < 0 || outer.top > window.innerHeight) box.scrollIntoView({ block: 'nearest' });
  }, [highlighted]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a scrolling box must be within reach of the keyboard
    <section ref={place} className="original" aria-label="Original message" tabIndex={0}>
      {dialect === 'hl7v2' ? (
        <Segments original={original} {...choice} />
      ) : (
        <LaidOut original={original} dialect={dialect} {...choice} />
      )}
    </section>
  );
}

/** XML or JSON: one text, the chosen place set off in it. */
function LaidOut({ original, dialect, highlighted, onChoose }: Choice & { original: string; dialect: Dialect }) {
  const text = useMemo(() => (dialect === 'ccda' ? prettyXml(original) : prettyJson(original)), [original, dialect]);
  const places = useMemo(() => placesIn(text, dialect), [text, dialect]);
  const range = highlighted ? places.placeOf(highlighted) : undefined;
  const choose = (event: MouseEvent<HTMLPreElement>) => {
    const source = places.sourceAt(offsetAt(event));
    if (source) onChoose?.(source);
  };
  const [start, end] = range ?? [0, 0];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard the rows of the ledger lead to the same pairs
    <pre className="laid-out" onClick={onChoose && choose}>
      {range ? text.slice(0, start) : text}
      {range && <mark className="struck">{text.slice(start, end)}</mark>}
      {range && text.slice(end)}
    </pre>
  );
}

/** The offset in the whole text at which a click fell; -1 when the browser cannot tell. */
function offsetAt({ currentTarget, clientX, clientY }: MouseEvent<HTMLPreElement>): number {
  const caret = document.caretRangeFromPoint?.(clientX, clientY);
  if (!caret) return -1;
  const before = document.createRange();
  before.selectNodeContents(currentTarget);
  before.setEnd(caret.startContainer, caret.startOffset);
  return before.toString().length;
}

function Segments({ original, highlighted, onChoose }: Choice & { original: string }) {
  const segments = useMemo(() => viewSegments(original), [original]);
  const struck = highlighted ? fieldOf(highlighted) : undefined;
  let isFirst = true;
  return segments.map((segment, at) => (
    // Segments have no identity beyond their place in the message.
    // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
    <div className="segment" key={at}>
      <span className="segment-name">{segment.name}</span>
      {segment.fields.map((field) => {
        const path = `${segment.name}[${segment.occurrence}]-${field.number}`;
        const shown = (
          <span className={struck === path ? 'field struck' : 'field'} title={fieldName(segment.name, field.number)}>
            {field.text}
          </span>
        );
        const isReached = isFirst;
        if (field.text) isFirst = false;
        return (
          <span key={field.number}>
            <span className="delimiter">{segment.fieldSeparator}</span>
            {field.text && !onChoose && shown}
            {field.text && onChoose && (
              <a
                href={`#${path}`}
                data-field={path}
                aria-label={`${fieldName(segment.name, field.number)}: ${field.text}`}
                aria-current={struck === path ? 'true' : undefined}
                tabIndex={(struck ? struck === path : isReached) ? 0 : -1}
                onKeyDown={alongFields}
                onClick={(event) => {
                  event.preventDefault();
                  onChoose(path);
                }}
              >
                {shown}
              </a>
            )}
          </span>
        );
      })}
    </div>
  ));
}

/** The fields are one stop of the tab key; arrow keys move among them. */
function alongFields(event: KeyboardEvent<HTMLElement>) {
  const step = STEPS[event.key];
  if (!step) return;
  const fields = [...event.currentTarget.closest('.original')!.querySelectorAll<HTMLElement>('[data-field]')];
  fields[fields.indexOf(event.currentTarget) + step]?.focus();
  event.preventDefault();
}

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
