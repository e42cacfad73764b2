/** Responses to queries: header, acknowledgement, the query told again, and what was found. */
import { expect, test } from 'vitest';
import { isParseError, type Message, parseMessage, respond } from './index.ts';

const time = new Date('2024-02-29T13:45:00Z');

function query(text: string): Message {
  const message = parseMessage(text);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

const answered = (message: Message) =>
  respond(message, {
    outcome: 'accept',
    time,
    controlId: 'A1',
    type: ['RSP', 'K22', 'RSP_K21'],
    profile: ['Z32', 'CDCPHINVS'],
    segments: [
      { name: 'QAK', values: { 1: 'T^1', 2: 'OK' } },
      message.segment('QPD')!,
      { name: 'PID', values: { 1: 1, 5: ['Õun', 'A&B'] } },
    ],
  });

test('a response is addressed back, repeats the query as written, and escapes what it says', () => {
  const answer = answered(
    query('MSH|^~\\&|EHR|CLINIC|HUB|REGION|2024||QBP^Q22^QBP_Q21|77|T|2.5\rQPD|Q22|T^1|@PID.5.1^\\X41\\B\rRCP|I\r'),
  );
  expect(answer.code).toBe('AA');
  expect(answer.text).toBe(
    'MSH|^~\\&|HUB|REGION|EHR|CLINIC|20240229134500+0000||RSP^K22^RSP_K21|A1|T|2.5|||||||||Z32^CDCPHINVS\r' +
      'MSA|AA|77\rQAK|T\\S\\1|OK\rQPD|Q22|T^1|@PID.5.1^\\X41\\B\rPID|1||||Õun^A\\T\\B\r',
  );
});

test('it speaks with the delimiters and in the charset of the query; in enhanced mode it asks for no answer', () => {
  const text = 'MSH!@%*$!EHR!CLINIC!HUB!R!2024!!QBP@Q22@QBP_Q21!77!T!2.5!!!AL!AL!!8859/1\rQPD!Q22!T@1!@PID.5.1@É\r';
  const message = query(text);
  const answer = answered(message);
  expect(answer.text).toContain('!RSP@K22@RSP_K21!A1!T!2.5!!!NE!NE!!8859/1!!!Z32@CDCPHINVS\r');
  expect(answer.text).toContain('\rQPD!Q22!T@1!@PID.5.1@É\r');
  expect(answer.text).toContain('\rPID!1!!!!Õun@A&B\r');
  expect(answer.bytes).toHaveLength(answer.text.length);
});

test('what cannot be repeated in the delimiters of the query is escaped', () => {
  const answer = answered(
    query('MSH|-~\\&|EHR|CLINIC|HUB|R|2024||QBP-Q22-QBP_Q21|77|T|2.5\rQPD|Q22|T-1|@PID.5.1-A^B\r'),
  );
  const read = query(answer.text);
  expect(read.get('QPD-2')).toBe('T-1');
  expect(read.get('QPD-3')).toBe('@PID.5.1-A^B');
});
