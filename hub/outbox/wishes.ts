/** What goes by each route: the topics that it names, what its messages tell of, or what its destination's kind is told. */
import type { V2MessageCode } from '@causeway/mapping';
import { type FineTopic, fineTopics, type Participant, type Route, type Topic, topics } from '../trust/index.ts';

const told: Record<V2MessageCode, readonly Topic[]> = {
  ADT: ['person', 'visit'],
  ORU: ['result'],
  MDM: ['discharge-summary', 'document'],
  SIU: ['appointment'],
  RDE: ['prescription'],
  VXU: ['immunization'],
  ORM: ['order'],
  OMG: ['order'],
  OML: ['order'],
};

/** Whether a route takes a topic, or one of the finer ones that it is. One that names none takes results, and discharge summaries to a practice. */
export function takes(
  { to, topics: named }: Route,
  { kind }: Participant,
  topic: Topic,
  fine: readonly FineTopic[],
): boolean {
  if (named) return named.includes(topic) || fine.some((one) => named.includes(one));
  if (to.dialect === 'ccda') return topic === 'discharge-summary' || topic === 'document';
  const messages = to.dialect === 'hl7v2' ? to.messages : undefined;
  if (messages) return messages.some((code) => told[code].includes(topic));
  return topic === 'result' || (topic === 'discharge-summary' && kind === 'practice');
}

/** The topics that some route takes. */
export function wantedTopics(participants: readonly Participant[]): Set<Topic> {
  return new Set(
    topics.filter((topic) =>
      participants.some((one) => (one.routes ?? []).some((route) => takes(route, one, topic, finer(topic)))),
    ),
  );
}

function finer(topic: Topic): FineTopic[] {
  return (Object.keys(fineTopics) as FineTopic[]).filter((one) => fineTopics[one] === topic);
}
