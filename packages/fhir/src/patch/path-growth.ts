/**
 * What a path of a patch may not use: functions and operators of FHIRPath that make texts or lists longer than what they are
 * given. Some hundred characters of them fill any memory, at once, which no time limit stops; to name an element nobody needs
 * them.
 */

/** A node of the tree that the engine parses. */
export interface PathNode {
  type: string;
  text?: string;
  children?: PathNode[];
}

/** Each gives back no more than it takes, or than the resource has. */
const functions = new Set(
  `empty not exists all allTrue anyTrue allFalse anyFalse subsetOf supersetOf isDistinct distinct count where extension select
   repeat children descendants single first last tail take skip type ofType is as union intersect exclude iif coalesce sort
   sum min max avg today now timeOfDay hasValue getValue resolve memberOf
   toInteger toLong toDecimal toString toDate toDateTime toTime toBoolean toQuantity
   convertsToBoolean convertsToInteger convertsToLong convertsToDecimal convertsToString convertsToDate convertsToDateTime
   convertsToTime convertsToQuantity
   indexOf lastIndexOf substring startsWith endsWith contains upper lower matches matchesFull length trim
   abs ceiling floor truncate`
    .trim()
    .split(/\s+/),
);

/** The first function or operator in a path that it may not use; undefined where there is none. */
export function growingPart({ type, text = '', children = [] }: PathNode): string | undefined {
  if (type === 'Functn') {
    const name = (children[0]?.text ?? text).replace(/^`(.*)`$/, '$1');
    if (!functions.has(name)) return `${name}()`;
  }
  // Of numbers, `+` makes nothing longer; what it adds is not known before.
  if (type === 'AdditiveExpression' && text !== '-') return text;
  for (const child of children) {
    const found = growingPart(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
