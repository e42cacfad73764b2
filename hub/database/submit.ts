/** How statements are handed to the driver's connections. */
import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { NamedStatement, Result, RowScope } from './pool.ts';

/** Holds back what is written to a connection until all code that is ready to run has run, so that it leaves at once. */
export function gather(client: pg.PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/** As `client.query`, which copies the statement property by property at each call. */
export function submit<R extends object>(
  client: pg.PoolClient,
  statement: string | NamedStatement,
  values: unknown[] | undefined,
  Query = pg.Query,
): Promise<Result<R> & { command: string }> {
  const {
    name,
    text,
    values: own,
  } = typeof statement === 'string' ? { text: statement } : (statement as NamedStatement);
  return new Promise((resolve, reject) => {
    const query = new Query(text, values ?? own, (error: Error | undefined, result) =>
      error ? reject(error) : resolve(result as Result<R> & { command: string }),
    );
    if (name !== undefined) (query as { name?: string }).name = name;
    client.query(query);
  });
}

/** Sets whose rows a connection, or only its transaction, may touch. */
export function scopeStatement(scope: RowScope, isLocal: boolean): NamedStatement {
  return { name: `scope_${isLocal}`, text: `SELECT set_config('causeway.homes', $1, ${isLocal})`, values: [scope] };
}
