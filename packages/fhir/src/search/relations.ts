/** Built-in search parameters that say the same as others of their type do: read off their expressions. */
import type { SearchParameter } from './index-value.ts';

/** Notes what the parameters of a type have to do with each other. @param all those of one type, built-in ones only */
export function relate(all: readonly SearchParameter[]): void {
  for (const parameter of all) {
    const unionOf = unionIn(all, parameter);
    if (unionOf) parameter.unionOf = unionOf;
    const partOf = wholeIn(all, parameter);
    if (partOf) parameter.partOf = partOf;
  }
}

/** The parameters of the same kind whose branches are, together, those of a union. */
function unionIn(all: readonly SearchParameter[], parameter: SearchParameter): string[] | undefined {
  const branches = branchesOf(parameter);
  if (branches.length < 2) return undefined;
  const parts = all.filter((other) => {
    const own = branchesOf(other);
    return (
      own.length < branches.length && own.every((branch) => branches.includes(branch)) && isSameKind(other, parameter)
    );
  });
  const covered = new Set(parts.flatMap(branchesOf));
  return covered.size === new Set(branches).size ? parts.map(({ code }) => code) : undefined;
}

/** The parameter of all that a reference names, of which this one takes those of one type. */
function wholeIn(all: readonly SearchParameter[], parameter: SearchParameter): SearchParameter['partOf'] {
  const [, whole, target] = /^(.+)\.where\(resolve\(\) is ([A-Za-z]+)\)$/.exec(parameter.expression) ?? [];
  const found = all.find(({ type, expression }) => type === 'reference' && expression === whole);
  return found && target !== undefined ? { code: found.code, target } : undefined;
}

function branchesOf({ expression }: SearchParameter): string[] {
  return expression.split('|').map((branch) => branch.trim().replace(/^\((.*)\)$/, '$1'));
}

function isSameKind(a: SearchParameter, b: SearchParameter): boolean {
  const components = (parameter: SearchParameter) =>
    (parameter.components ?? []).map(({ type, expression }) => `${type} ${expression}`).join();
  return a.type === b.type && components(a) === components(b);
}
