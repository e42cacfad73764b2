/** Whom the content of a message was passed on to, and how that went. */
import type { Delivery } from '../api/contract.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { count } from '../parts/numbers.ts';
import { DeliveryStateMark, DIALECT_WORDS } from './message-words.tsx';

const KIND_WORDS: Record<string, string> = { correction: 'Correction', retraction: 'Withdrawal' };

export function Deliveries({ deliveries }: { deliveries: Delivery[] }) {
  return (
    <section className="panel" aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">
        Passed on {deliveries.length > 0 && <span className="quiet small">{deliveries.length}</span>}
      </h2>
      {deliveries.length === 0 ? (
        <p className="quiet small" style={{ margin: 0 }}>
          To nobody.
        </p>
      ) : (
        <div className="scroll-x">
          <table className="facts">
            <caption className="visually-hidden">Deliveries of this message’s content</caption>
            <thead>
              <tr>
                <th scope="col">To</th>
                <th scope="col">What</th>
                <th scope="col">State</th>
                <th scope="col" style={{ textAlign: 'right' }}>
                  Attempts
                </th>
                <th scope="col">When</th>
              </tr>
            </thead>
            <tbody>
              {deliveries.map((delivery) => (
                <Row key={delivery.id} delivery={delivery} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ delivery }: { delivery: Delivery }) {
  return (
    <tr data-delivery={delivery.state}>
      <td>
        {delivery.destinationName}
        <div className="small quiet">{DIALECT_WORDS[delivery.dialect] ?? delivery.dialect}</div>
      </td>
      <td className="small">
        {delivery.topic}{' '}
        {delivery.kind !== 'new' && <Mark tone="info">{KIND_WORDS[delivery.kind] ?? delivery.kind}</Mark>}
      </td>
      <td>
        <DeliveryStateMark delivery={delivery} />
      </td>
      <td className="number">{count(delivery.attempts)}</td>
      <td className="small">
        {delivery.deliveredAt ? formatDateTime(delivery.deliveredAt) : `since ${formatDateTime(delivery.createdAt)}`}
      </td>
    </tr>
  );
}
