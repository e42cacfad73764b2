/** Of a recall: who was told what, what each was sent since, and who looked at it here. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { RecallDetails } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { DELIVERY_WORDS } from '../messages/message-words.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';

export function RecallTables({ id }: { id: string }) {
  const query = useQuery({
    queryKey: ['recall', id],
    queryFn: ({ signal }) => getJson<RecallDetails>(`/api/recalls/${id}`, signal),
    refetchInterval: 15_000,
  });
  return (
    <Loaded query={query} what="who was told">
      {({ recipients, readers }) => (
        <>
          <section className="panel" aria-labelledby="recall-recipients">
            <h2 id="recall-recipients">Who was told</h2>
            {recipients.length === 0 ? <Text className="quiet">Nobody.</Text> : <Recipients recipients={recipients} />}
          </section>
          <section className="panel" aria-labelledby="recall-readers">
            <h2 id="recall-readers">Who may have seen it here</h2>
            {readers.length === 0 && <Text className="quiet">Nobody, as the record of accesses has it.</Text>}
            <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {readers.map(({ who, organization, at, action }) => (
                <li key={`${who} ${organization}`} style={{ overflowWrap: 'anywhere' }}>
                  <strong>{who}</strong> of {organization},{' '}
                  {action === 'read' ? 'opened it' : 'looked at the person’s record'}{' '}
                  <span className="quiet small">{formatDateTime(at)}</span>
                </li>
              ))}
            </ul>
          </section>
        </>
      )}
    </Loaded>
  );
}

function Recipients({ recipients }: Pick<RecallDetails, 'recipients'>) {
  return (
    <div className="scroll-x">
      <table className="facts">
        <caption className="visually-hidden">Who was told, and whether it was taken back there</caption>
        <thead>
          <tr>
            <th scope="col">Organisation</th>
            <th scope="col">Was told</th>
            <th scope="col">What takes it back</th>
          </tr>
        </thead>
        <tbody>
          {recipients.map(({ destination, destinationName, route, told, recall }) => (
            <tr key={`${destination} ${route}`}>
              <td>
                {destinationName}
                {route !== 'main' && <div className="small quiet">{route}</div>}
              </td>
              <td className="small">
                {told.map(({ version, at, state }) => (
                  <div key={version}>
                    Version {version}, {at ? formatDateTime(at) : (DELIVERY_WORDS[state]?.words ?? state)}
                  </div>
                ))}
              </td>
              <td className="small">
                {recall === undefined ? (
                  <Mark tone="bad">Nothing was sent</Mark>
                ) : (
                  <>
                    <Mark tone={DELIVERY_WORDS[recall.state]?.tone}>
                      {recall.state === 'delivered'
                        ? 'Acknowledged'
                        : (DELIVERY_WORDS[recall.state]?.words ?? recall.state)}
                    </Mark>{' '}
                    {recall.kind === 'retraction' ? 'Withdrawal' : 'Correction'}
                    {recall.at && `, ${formatDateTime(recall.at)}`}
                    {recall.error && <div style={{ overflowWrap: 'anywhere' }}>{recall.error}</div>}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
