/**
 * Faults as they may be logged: what kind of fault it was and where, without the message of the error, which may repeat
 * a value (a JSON parser quotes its input, PostgreSQL the value it could not take).
 */

/** Kind, PostgreSQL's code where there is one, and the places in our code that it came through. */
export function faultText(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code, routine, constraint } = error as Error & { code?: string; routine?: string; constraint?: string };
  const kind = [error.name, code, routine, constraint].filter(Boolean).join(' ');
  const places = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [kind, ...places.slice(0, 12)].join('\n');
}

/** A sentence on a fault for the people who look after messages: errors of our own say it, of others their kind. */
export function faultReason(error: unknown): string {
  if (!(error instanceof Error)) return 'a fault of the hub';
  const { code } = error as Error & { code?: string };
  const own = error.constructor === Error || (error as { issues?: unknown }).issues !== undefined;
  return own && code === undefined ? error.message.slice(0, 500) : [error.name, code].filter(Boolean).join(' ');
}
