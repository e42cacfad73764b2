/** Who looked at far more people within an hour than usual. */
import type { FanOutAlarm } from '../api/contract.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';

export function FanOutAlarms({ alarms }: { alarms: FanOutAlarm[] }) {
  return alarms.map(({ id, at, kind, key, persons, usual }) => (
    <Notice
      key={id}
      tone="bad"
      title={`${kind === 'organization' ? 'The organisation' : 'The account'} ${key} looked at ${count(persons)} people within an hour.`}
    >
      {usual === 0 ? 'It has no usual number yet.' : `${count(usual)} are usual.`} {formatDateTime(at)}
    </Notice>
  ));
}
