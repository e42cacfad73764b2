/** The original as it was received: HL7 v2 by segments and fields, XML and JSON laid out. */
import { useEffect, useMemo, useRef } from 'react';
import type { Dialect } from '../api/contract.ts';
import { fieldOf, viewSegments } from './er7-view.ts';
import { fieldName } from './field-names.ts';
import { prettyJson, prettyXml } from './pretty.ts';

export function OriginalView({
  original,
  dialect,
  highlighted,
  onField,
}: {
  original: string;
  dialect: Dialect;
  /** A ledger entry's `source` whose place is to be shown. */
  highlighted: string | undefined;
  onField?: (field: string) => void;
}) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (highlighted) place.current?.querySelector('.struck')?.scrollIntoView({ block: 'center' });
  }, [highlighted]);
  return (
    <section ref={place} className="original" aria-label="Original message">
      {dialect === 'hl7v2' ? (
        <Segments original={original} struck={highlighted ? fieldOf(highlighted) : undefined} onField={onField} />
      ) : (
        <pre style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', font: 'inherit' }}>
          {dialect === 'fhir' ? prettyJson(original) : prettyXml(original)}
        </pre>
      )}
    </section>
  );
}

function Segments({
  original,
  struck,
  onField,
}: {
  original: string;
  struck: string | undefined;
  onField?: (field: string) => void;
}) {
  const segments = useMemo(() => viewSegments(original), [original]);
  return segments.map((segment, at) => (
    // Segments have no identity beyond their place in the message.
    // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
    <div className="segment" key={at}>
      <span className="segment-name">{segment.name}</span>
      {segment.fields.map((field) => {
        const path = `${segment.name}[${segment.occurrence}]-${field.number}`;
        return (
          <span key={field.number}>
            <span className="delimiter">{segment.fieldSeparator}</span>
            {field.text && (
              <a
                href={`#${path}`}
                tabIndex={-1}
                className={struck === path ? 'field struck' : 'field'}
                title={fieldName(segment.name, field.number)}
                onClick={(event) => {
                  event.preventDefault();
                  onField?.(path);
                }}
              >
                {field.text}
              </a>
            )}
          </span>
        );
      })}
    </div>
  ));
}
