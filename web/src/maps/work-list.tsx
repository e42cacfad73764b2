/** The kinds of source fields that carried content and have no place in the record, the most frequent first. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { NotMapped } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { DIALECT_WORDS } from '../messages/message-words.tsx';
import { Loaded } from '../parts/loading.tsx';
import { count } from '../parts/numbers.ts';

export function WorkList({ source }: { source: string | undefined }) {
  const query = useQuery({
    queryKey: ['not-mapped', source],
    queryFn: ({ signal }) =>
      getJson<NotMapped>(`/api/not-mapped${source ? `?source=${encodeURIComponent(source)}` : ''}`, signal),
  });
  return (
    <section className="panel" aria-labelledby="work-list-title">
      <h2 id="work-list-title">Not mapped</h2>
      <Loaded query={query} what="what is not mapped">
        {({ messages, kinds }) =>
          kinds.length === 0 ? (
            <p className="quiet">
              {messages === 0 ? 'No message was processed yet.' : 'Every field of every message has its place.'}
            </p>
          ) : (
            <>
              <p className="small quiet">
                Fields with content that stay in the original only, in the newest {count(messages)} messages.
              </p>
              <div className="scroll-x">
                <table className="facts">
                  <caption className="visually-hidden">
                    Kinds of fields, by the number of messages that hold them
                  </caption>
                  <thead>
                    <tr>
                      <th scope="col">Field</th>
                      <th scope="col">Sender</th>
                      <th scope="col" style={{ textAlign: 'right' }}>
                        Messages
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {kinds.map(({ kind, source: key, sourceName, dialect, messages: held }) => (
                      <tr key={`${key} ${dialect} ${kind}`} data-kind={kind}>
                        <td style={{ overflowWrap: 'anywhere' }}>
                          <Link to="/messages" search={{ notMapped: kind, source: key }}>
                            <code className="small">{kind}</code>
                          </Link>{' '}
                          <span className="quiet small">{DIALECT_WORDS[dialect]}</span>
                        </td>
                        <td className="small">{sourceName}</td>
                        <td className="number" data-label="Messages">
                          {count(held)}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </>
          )
        }
      </Loaded>
    </section>
  );
}
