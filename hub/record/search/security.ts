/** `_security`: labels that sources gave, by the index of tokens, and those that the hub put on, which lie with the row. */
import { codingsOf, label } from '@causeway/access';
import { typeCode } from '@causeway/fhir';
import { leadRows, type Predicate, type SearchContext } from './predicate.ts';
import type { Filter } from './request.ts';
import { token } from './token.ts';
import { splitAt, unescaped } from './values.ts';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

/** The labels that are given out; the index `resource_labelled` is of rows that have any. */
const shown = 4_094;
const confidentialities = label.restricted | label.veryRestricted;

/** What is found by labels as they are given out. */
export async function security(context: SearchContext, type: string, filter: ValueFilter): Promise<Predicate> {
  const said = await token(context, type, filter);
  if (said.check) return said;
  const asked = await askedOf(context, filter);
  return withLabelled(context, type, said, (alias) => {
    const parts = Object.values(label).flatMap((bit) => (asked(bit) ? condition(alias, bit) : []));
    return parts.length === 0 ? undefined : `(${parts.join(' OR ')})`;
  });
}

/** What has any label at all (`:missing`). @param said what has one that its source gave it */
export function anySecurity(said: Predicate): Predicate {
  return { sql: (alias) => `(${said.sql(alias)} OR ${alias}.labels & ${shown} <> 0)` };
}

function withLabelled(
  context: SearchContext,
  type: string,
  said: Predicate,
  labelled: (alias: string) => string | undefined,
): Predicate {
  if (labelled('r') === undefined) return said;
  const sql = (alias: string) => `(${said.sql(alias)} OR ${labelled(alias)})`;
  const { lead, negative, partial } = said;
  if (negative) return { sql, negative };
  if (!lead) return { sql };
  const rows = () => `${leadRows(context, lead)} UNION ALL
    SELECT o.home, o.rkey FROM resource o
    WHERE o.type = ${typeCode(type)} AND o.labels & ${shown} <> 0 AND ${labelled('o')}`;
  return { sql, lead: { rows }, ...(partial ? { partial } : {}) };
}

/** That a row is given out with the code of a label. */
function condition(alias: string, bit: number): string {
  return bit === label.restricted
    ? `${alias}.labels & ${confidentialities} = ${label.restricted}`
    : `${alias}.labels & ${bit} <> 0`;
}

/** Whether a filter asks for the code of a label. */
async function askedOf(context: SearchContext, { modifier, values }: ValueFilter): Promise<(bit: number) => boolean> {
  const plain = values.map(unescaped);
  const spellings = async (): Promise<string[]> => {
    switch (modifier) {
      case 'in':
      case 'not-in':
        return context.codes.valueSet(context.access, plain[0]!);
      case 'above':
      case 'below':
        return context.codes.hierarchy(context.access, modifier, values[0]!);
      default:
        return [];
    }
  };
  const listed = new Set(await spellings());
  const isWanted = (system: string, code: string) =>
    modifier === undefined || modifier === 'not'
      ? values.some((value) => isAskedBy(value, system, code))
      : listed.has(`${system}|${code}`);
  return (bit) => codingsOf(bit).some(({ system, code }) => isWanted(system, code));
}

function isAskedBy(value: string, system: string, code: string): boolean {
  const [first, second] = splitAt(value, '|').map(unescaped) as [string, string | undefined];
  if (second === undefined) return first === code;
  return first === system && (second === '' || second === code);
}
