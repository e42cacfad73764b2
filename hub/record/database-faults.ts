/**
 * Faults of the database that are no fault of the hub, as errors a client can act on: it was too slow, too busy, away,
 * or another change was in the way. What is left is a fault of ours.
 */
import { RecordError } from './errors.ts';

/** The error that a fault means to a client; undefined for one that is the hub's own. */
export function recordErrorOf(fault: unknown): RecordError | undefined {
  if (fault instanceof RecordError) return fault;
  if (!(fault instanceof Error)) return undefined;
  const { code, syscall } = fault as { code?: unknown; syscall?: string };
  if (syscall === 'connect') return away();
  if (typeof code === 'string') {
    const [, make] = byCode.find(([pattern]) => pattern.test(code)) ?? [];
    if (make) return make();
  }
  return lostConnection.test(fault.message) ? away() : undefined;
}

/** What the driver says without a code: the connection broke, or none became free. */
const lostConnection = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a conn)/;

const byCode: readonly [RegExp, () => RecordError][] = [
  [/^(22021|22P05)$/, unstorable],
  [/^57014$/, tooSlow],
  [/^(40001|40P01|55P03)$/, inTheWay],
  [/^53100$/, diskFull],
  [/^(53...|54...)$/, tooBusy],
  [/^(42P01|42501|25006|58...|XX00[12])$/, outOfOrder],
  [/^(08...|57P0[1-5]|ECONN[A-Z]+|EPIPE|ETIMEDOUT|EAI_AGAIN)$/, away],
];

/** PostgreSQL's character_not_in_repertoire and untranslatable_character: a text parameter with U+0000. */
function unstorable(): RecordError {
  return new RecordError(400, 'value', 'The request holds a character that cannot be stored or searched for (U+0000).');
}

function tooSlow(): RecordError {
  const text =
    'The database did not finish in the time this hub allows. Ask for less at once, or try again when there is less to do.';
  return new RecordError(503, 'timeout', text).with('retry-after', '10');
}

function inTheWay(): RecordError {
  const text =
    'Other changes of the same resources were in the way, and still were when it was tried again. Try again.';
  return new RecordError(503, 'lock-error', text).with('retry-after', '1');
}

/** A table is missing, may not be read or written, or is damaged: nothing is given out without it. */
function outOfOrder(): RecordError {
  const text =
    'A part of the database is out of order; an administrator has to look at it, and the log says what it is.';
  return new RecordError(503, 'transient', text).with('retry-after', '60');
}

function diskFull(): RecordError {
  const text = 'The database has no space left to store anything; an administrator has to free some.';
  return new RecordError(507, 'no-store', text).with('retry-after', '300');
}

function tooBusy(): RecordError {
  const text = 'The database has too much to do at the moment. Try again in a while.';
  return new RecordError(503, 'throttled', text).with('retry-after', '5');
}

function away(): RecordError {
  const text = 'The database cannot be reached at the moment. Try again in a while.';
  return new RecordError(503, 'transient', text).with('retry-after', '5');
}
