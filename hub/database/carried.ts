/**
 * Statements that are carried out before another, in one go with it: PostgreSQL answers once, when it has carried out the
 * last, instead of waking the hub after each (frontend/backend protocol, §54.2.4: one Sync after several Executes). Where
 * one fails, those after it are passed over.
 */
import pg from 'pg';
import type { NamedStatement, Result } from './pool.ts';
import { submit } from './submit.ts';

/** The driver's connection and query, as far as their types do not tell of them. */
interface Wire {
  /** Texts of the statements that are prepared on the connection, by name. */
  parsedStatements: { [name: string]: string };
  bind(what: { portal: string; statement: string; values: unknown[]; binary: false; valueMapper: unknown }): void;
  execute(what: object): void;
  sync(): void;
}
interface DriverQuery {
  prepare(connection: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Wire): void;
  handleError(error: unknown, connection: Wire): void;
}

const driver = {
  query: pg.Query.prototype as unknown as DriverQuery,
  ...(pg as unknown as { utils: { prepareValue: unknown } }).utils,
};

type Outcome = Result<never> & { command: string };

/**
 * Hands statements to a connection, to be carried out one after the other; resolves with the outcome of the last.
 * @param failed is told the error of one of those before it
 */
export function submitTogether(
  client: pg.PoolClient,
  statements: readonly NamedStatement[],
  failed: (error: unknown) => void,
): Promise<Outcome> {
  const { parsedStatements } = (client as unknown as { connection: Wire }).connection;
  let carried: NamedStatement[] = [];
  const hand = (statement: NamedStatement): Promise<Outcome> => {
    const before = carried;
    carried = [];
    // A text may be several statements, which PostgreSQL takes by themselves only.
    if (!isPlain(statement)) return carry(client, before, statement, failed);
    const last = before.pop();
    if (last) carry(client, before, last, failed).catch(failed);
    return submit<never>(client, statement, undefined);
  };
  for (const statement of statements.slice(0, -1)) {
    const { name, text } = statement;
    if (name !== undefined && parsedStatements[name] === text) carried.push(statement);
    // One that is not prepared yet is so by the driver, which remembers it.
    else hand(statement).catch(failed);
  }
  return hand(statements.at(-1)!);
}

function isPlain({ name, values }: NamedStatement): boolean {
  return name === undefined && (values === undefined || values.length === 0);
}

function carry(
  client: pg.PoolClient,
  before: readonly NamedStatement[],
  { name, text, values }: NamedStatement,
  failed: (error: unknown) => void,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const query = new CarryingQuery(before, text, values, (error: Error | undefined, result) => {
      if (!error) return resolve(result as unknown as Outcome);
      if (query.isOfCarried) failed(error);
      reject(error);
    });
    if (name !== undefined) (query as { name?: string }).name = name;
    client.query(query);
  });
}

/** A statement with those that are carried out before it, all of them prepared. */
class CarryingQuery extends pg.Query {
  readonly carried: readonly NamedStatement[];
  #left: number;

  constructor(
    carried: readonly NamedStatement[],
    text: string,
    values: unknown[] | undefined,
    done: (error: Error | undefined, result: pg.QueryResult) => void,
  ) {
    super(text, values, done);
    this.carried = carried;
    this.#left = carried.length;
  }

  /** Whether an error is that of a statement before the last. */
  get isOfCarried(): boolean {
    return this.#left > 0;
  }

  prepare(connection: Wire): void {
    const self = this as unknown as DriverQuery;
    try {
      for (const { name, values = [] } of this.carried) {
        const statement = name!;
        connection.bind({ portal: '', statement, values, binary: false, valueMapper: driver.prepareValue });
        connection.execute({});
      }
    } catch (error) {
      // A value that cannot be sent.
      connection.sync();
      self.handleError(error, connection);
      return;
    }
    driver.query.prepare.call(self, connection);
  }

  handleDataRow(message: unknown): void {
    if (this.#left === 0) driver.query.handleDataRow.call(this as unknown as DriverQuery, message);
  }

  handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.#left > 0) this.#left--;
    else driver.query.handleCommandComplete.call(this as unknown as DriverQuery, message, connection);
  }
}
