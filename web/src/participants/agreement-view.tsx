/** An agreement in words: what it lets an organisation do, its text, and who has signed. */
import { Text } from '@mantine/core';
import type { WrittenAgreement } from '../api/contract.ts';
import { asSentence, joined, PURPOSE_WORDS } from '../consents/kinds.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { ACTIVITY_WORDS } from './state-words.ts';

export function AgreementView({ agreement }: { agreement: WrittenAgreement }) {
  const { version, may, purposes, types, jurisdiction, from, to, text, hash } = agreement;
  const { participantSigned, networkSigned } = agreement;
  const what = joined(may.map((each) => ACTIVITY_WORDS[each]));
  const why = joined(purposes.map((code) => PURPOSE_WORDS[code] ?? code));
  const signed = (signature: { by: string; at: string } | undefined) =>
    signature ? `${signature.by}, ${formatDateTime(signature.at)}` : 'has not signed yet';
  return (
    <div data-agreement={version}>
      <ul style={{ margin: '0.4rem 0', paddingLeft: '1.1rem', overflowWrap: 'anywhere' }}>
        <li>
          {asSentence(what)}, for {why}
          {jurisdiction && `, under the law of ${jurisdiction}`}.
        </li>
        {types.length > 0 && <li>For public health and research only: {types.join(', ')}.</li>}
        <li>
          From {formatDateTime(from)} until {formatDateTime(to)}.
        </li>
        <li>The organisation: {signed(participantSigned)}</li>
        <li>The network: {signed(networkSigned)}</li>
      </ul>
      <details>
        <summary>The text</summary>
        <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} mt="xs">
          {text}
        </Text>
        <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
          What is signed has the SHA-256 {hash}
        </Text>
      </details>
    </div>
  );
}
