/** Runs in a thread of its own: conversions, which take milliseconds to seconds, must not hold up acknowledgements. */
import { type ConvertedMessage, convertMessage, type ToConvert } from './converted.ts';

export default function convertAll(messages: ToConvert[]): ConvertedMessage[] {
  return messages.map(convertMessage);
}
