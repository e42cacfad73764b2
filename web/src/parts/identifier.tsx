/** Identifiers as people read them: whose each is in words, then its value; the system itself is its title. */
import { useQuery } from '@tanstack/react-query';
import { getJson } from '../api/request.ts';
import { identifierAssigner, identifierLabel, type NumberedBy, type SystemNames } from '../fhir/people.ts';

/** Whose record numbers the systems on this network are; empty until it is known. */
export function useSystemNames(): SystemNames {
  const query = useQuery({
    queryKey: ['identifier-systems'],
    queryFn: ({ signal }) => getJson<{ systems: SystemNames }>('/api/identifier-systems', signal),
    staleTime: 10 * 60_000,
  });
  return query.data?.systems ?? {};
}

/** Several in one line, apart by commas. @param beside the organisation that stands beside them already */
export function Identifiers({ identifiers, beside }: { identifiers: readonly NumberedBy[]; beside?: string }) {
  const names = useSystemNames();
  return identifiers.map((identifier, at) => {
    const words = identifierAssigner(identifier, names) || identifierLabel(identifier);
    return (
      <span key={`${identifier.system}|${identifier.value}`} title={identifier.system ?? 'No system is stated'}>
        {at > 0 && ', '}
        {words !== beside && <span className="quiet">{words} </span>}
        {identifier.value}
      </span>
    );
  });
}
