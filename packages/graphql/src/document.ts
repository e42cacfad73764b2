/**
 * A query's text as a document (GraphQL, October 2021, section 2), and the operation in it that is asked for. Length and
 * nesting are looked at before the text is parsed, since the parser recurses.
 */
import { GraphQLError as LanguageError } from 'graphql/error';
import { type FragmentDefinitionNode, Lexer, type OperationDefinitionNode, parse, Source } from 'graphql/language';
import { GraphqlError, tooCostly } from './errors.ts';
import type { GraphqlLimits } from './limits.ts';

/** The operation to carry out and the fragments it may use, by name. */
export interface ParsedRequest {
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/**
 * Reads a query. An empty list of arguments (`Patient() {id}`), which GraphQL has not but FHIR's own examples have, is
 * taken as none.
 * @throws GraphqlError with code `structure` for what is no GraphQL
 */
export function parseRequest(
  query: string,
  operationName: string | undefined,
  limits: Pick<GraphqlLimits, 'queryLength' | 'nesting'>,
): ParsedRequest {
  if (query.length > limits.queryLength) {
    throw new GraphqlError(`The query is too long: at most ${limits.queryLength} characters.`, undefined, 'too-long');
  }
  try {
    const { definitions } = parse(checkedText(query, limits.nesting));
    const operations: OperationDefinitionNode[] = [];
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const definition of definitions) {
      if (definition.kind === 'OperationDefinition') operations.push(definition);
      else if (definition.kind !== 'FragmentDefinition')
        throw structure('A query holds operations and fragments only.');
      else if (fragments.has(definition.name.value))
        throw structure(`There are two fragments ${definition.name.value}.`);
      else fragments.set(definition.name.value, definition);
    }
    return { operation: chosenOperation(operations, operationName), fragments };
  } catch (error) {
    if (error instanceof LanguageError) throw structure(error.message, error.locations?.[0]);
    throw error;
  }
}

/** The text with empty lists of arguments blanked, once its nesting is known to be bearable. */
function checkedText(query: string, nesting: number): string {
  const lexer = new Lexer(new Source(query));
  const blanks: [number, number][] = [];
  let depth = 0;
  for (let token = lexer.advance(); token.kind !== '<EOF>'; token = lexer.advance()) {
    if (token.kind === '{' || token.kind === '[' || token.kind === '(') depth++;
    else if (token.kind === '}' || token.kind === ']' || token.kind === ')') depth--;
    if (depth > nesting) {
      const { line, column } = token;
      throw tooCostly('The query is nested too deep', nesting, 'levels of brackets', { line, column });
    }
    if (token.kind === ')' && token.prev?.kind === '(') blanks.push([token.prev.start, token.end]);
  }
  let text = '';
  let from = 0;
  for (const [start, end] of blanks) {
    text += query.slice(from, start) + query.slice(start, end).replace(/[()]/g, ' ');
    from = end;
  }
  return text + query.slice(from);
}

function chosenOperation(operations: OperationDefinitionNode[], name: string | undefined): OperationDefinitionNode {
  const names = operations.map((operation) => operation.name?.value);
  if (new Set(names).size < names.length) throw structure('Each operation of a query needs a name of its own.');
  if (operations.length === 0) throw structure('The query holds no operation.');
  if (name === undefined) {
    if (operations.length === 1) return operations[0]!;
    throw new GraphqlError('The query holds several operations; operationName has to say which.');
  }
  const found = operations[names.indexOf(name)];
  if (!found) throw new GraphqlError('The query holds no operation of the name that operationName gives.');
  return found;
}

function structure(message: string, location?: { line: number; column: number }): GraphqlError {
  return new GraphqlError(message, location, 'structure');
}
