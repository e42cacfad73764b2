/** Where every field of the source went. A row shows its place in the original; dispositions can be filtered. */
import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import type { Disposition, LedgerEntry } from '../api/contract.ts';
import { Mark } from '../parts/mark.tsx';
import { count } from '../parts/numbers.ts';
import { ResourceLink } from '../parts/resource-link.tsx';
import { fieldName } from './field-names.ts';
import { entriesAt } from './ledger-places.ts';
import { DISPOSITION_WORDS } from './message-words.tsx';

/** Rows drawn at a time; a large document has tens of thousands. */
const STEP = 300;

const ALL: Disposition[] = ['rejected', 'kept', 'mapped', 'consumed', 'structural'];

export function LedgerTable({
  ledger,
  place,
  clearPlace,
  highlighted,
  onHighlight,
}: {
  ledger: LedgerEntry[];
  /** Only the entries within this place of the original. */
  place: string | undefined;
  clearPlace: () => void;
  highlighted: string | undefined;
  onHighlight: (source: string) => void;
}) {
  const present = ALL.filter((disposition) => ledger.some((entry) => entry.disposition === disposition));
  const [wanted, setWanted] = useState<Disposition | undefined>(present.includes('kept') ? 'kept' : undefined);
  const [shown, setShown] = useState(STEP);
  const rows = place
    ? entriesAt(ledger, place)
    : ledger.filter((entry) => wanted === undefined || entry.disposition === wanted);
  return (
    <section className="panel" aria-labelledby="ledger-title">
      <h2 id="ledger-title">Where each field went</h2>
      <Group gap={6} mb="xs">
        {place ? (
          <Button size="compact-sm" variant="default" onClick={clearPlace} h="auto" py={3}>
            Only {placeWords(place)} · show all
          </Button>
        ) : (
          [undefined, ...present].map((disposition) => (
            <Button
              key={disposition ?? 'all'}
              size="compact-sm"
              variant={wanted === disposition ? 'filled' : 'default'}
              aria-pressed={wanted === disposition}
              onClick={() => {
                setWanted(disposition);
                setShown(STEP);
              }}
              title={disposition && DISPOSITION_WORDS[disposition].meaning}
            >
              {disposition ? DISPOSITION_WORDS[disposition].words : 'All'}{' '}
              {count(disposition ? ledger.filter((entry) => entry.disposition === disposition).length : ledger.length)}
            </Button>
          ))
        )}
      </Group>
      {rows.length === 0 && <p className="quiet small">No entry stands for this place.</p>}
      <div style={{ maxHeight: '60vh', overflow: 'auto' }}>
        <table className="facts">
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col">Where it went</th>
              <th scope="col">Target or reason</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((entry, at) => (
              <tr
                data-source={entry.source}
                // biome-ignore lint/suspicious/noArrayIndexKey: a source place may have several entries; order is all they have
                key={at}
                className="choice"
                aria-selected={highlighted === entry.source}
                onClick={() => onHighlight(entry.source)}
              >
                <td style={{ overflowWrap: 'anywhere' }}>
                  <button type="button" className="link-button small">
                    {entry.source}
                  </button>
                  {entry.value && <div className="small quiet">{entry.value}</div>}
                </td>
                <td>
                  <Mark tone={DISPOSITION_WORDS[entry.disposition]?.tone}>
                    {DISPOSITION_WORDS[entry.disposition]?.words ?? entry.disposition}
                  </Mark>
                </td>
                <td className="small" style={{ overflowWrap: 'anywhere' }}>
                  {entry.target ? <Target target={entry.target} /> : (entry.reason ?? '')}
                  {entry.rule && <span className="quiet"> by {entry.rule}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > shown && (
        <Button mt="xs" size="compact-sm" variant="default" onClick={() => setShown(shown + STEP)}>
          Show more ({count(rows.length - shown)} left)
        </Button>
      )}
    </section>
  );
}

/** The place in the record, opened on the resource with the element set off. */
function Target({ target }: { target: string }) {
  const parts = /^([A-Za-z]+\/[A-Za-z0-9.-]{1,64})(?:#(.*))?$/.exec(target);
  if (!parts) return target;
  const [, reference = '', path = ''] = parts;
  return (
    <ResourceLink reference={reference} path={path}>
      {path ? `${reference.split('/')[0]}.${path}` : reference}
    </ResourceLink>
  );
}

/** `PID-5 Patient name` for a field of HL7 v2, the end of the path for XML and JSON. */
function placeWords(place: string): string {
  const field = /^([A-Z][A-Z0-9]{2})\[(\d+)\]-(\d+)$/.exec(place);
  if (field) return `${fieldName(field[1]!, Number(field[3]))}${field[2] === '1' ? '' : ` (segment ${field[2]})`}`;
  return place.length > 60 ? `…${place.slice(-60)}` : place;
}
