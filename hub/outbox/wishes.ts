/** What each destination is sent: by its kind, or by the messages that its endpoint asks for. */
import type { V2MessageCode } from '@causeway/mapping';
import type { Participant } from '../trust/index.ts';

export const topics = [
  'result',
  'discharge-summary',
  'document',
  'person',
  'visit',
  'appointment',
  'prescription',
  'immunization',
  'order',
] as const;
/** What a delivery tells of. */
export type Topic = (typeof topics)[number];

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

/** Whether a destination is sent a topic. Without a list of messages: results, and discharge summaries to a practice. */
export function receives({ endpoint, kind }: Participant, topic: Topic): boolean {
  const messages = messagesOf(endpoint);
  if (messages) return messages.some((code) => told[code].includes(topic));
  return endpoint !== undefined && (topic === 'result' || (topic === 'discharge-summary' && kind === 'practice'));
}

/** The topics that some destination is sent. */
export function wantedTopics(participants: readonly Participant[]): Set<Topic> {
  return new Set(topics.filter((topic) => participants.some((one) => receives(one, topic))));
}

/** The messages that a destination asks for; undefined where it leaves that to its kind. */
export function messagesOf(endpoint: Participant['endpoint']): readonly V2MessageCode[] | undefined {
  return endpoint?.dialect === 'hl7v2' ? endpoint.messages : undefined;
}
