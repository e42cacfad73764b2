/** `_filter` (FHIR R4 §3.1.3): `name eq value and (x gt 1 or not (y ne z))`, compiled into the filters of the search. */
import { findParameter } from './known-parameters.ts';
import { type Filter, readFilter } from './request.ts';
import { wrong } from './wrong.ts';

const maximumLength = 2_000;
const maximumTerms = 32;

/** @throws RecordError 400 with what is wrong and where */
export function readFilterExpression(text: string, type: string, depth: number): Filter {
  if (text.length > maximumLength) throw wrong('_filter', `is longer than ${maximumLength} characters`);
  const reader = new Expression(tokensOf(text), type, depth);
  const filter = reader.either();
  reader.end();
  return filter;
}

interface Token {
  text: string;
  at: number;
  isString: boolean;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:("(?:[^"\\]|\\.)*")|([()[\]])|([^\s()[\]"]+))/y;
  while (text.slice(pattern.lastIndex).trim() !== '') {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (!found) throw wrong('_filter', `is not understood at character ${at + 1}`);
    const quoted = found[1];
    const value = quoted === undefined ? (found[2] ?? found[3])! : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
    tokens.push({ text: value, at, isString: quoted !== undefined });
  }
  return tokens;
}

class Expression {
  readonly #tokens: Token[];
  readonly #type: string;
  readonly #depth: number;
  #at = 0;
  #terms = 0;

  constructor(tokens: Token[], type: string, depth: number) {
    this.#tokens = tokens;
    this.#type = type;
    this.#depth = depth;
  }

  either(): Filter {
    const parts = [this.#all()];
    while (this.#takes('or')) parts.push(this.#all());
    return parts.length === 1 ? parts[0]! : { kind: 'any', filters: parts };
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw this.#unexpected('and, or or the end');
  }

  #all(): Filter {
    const parts = [this.#one()];
    while (this.#takes('and')) parts.push(this.#one());
    return parts.length === 1 ? parts[0]! : { kind: 'all', filters: parts };
  }

  #one(): Filter {
    if (++this.#terms > maximumTerms) throw wrong('_filter', `has more than ${maximumTerms} terms`);
    if (this.#takes('not')) return { kind: 'not', filter: this.#parenthesised() };
    if (this.#tokens[this.#at]?.text === '(') return this.#parenthesised();
    return this.#comparison();
  }

  #parenthesised(): Filter {
    if (!this.#takes('(')) throw this.#unexpected('(');
    const filter = this.either();
    if (!this.#takes(')')) throw this.#unexpected(')');
    return filter;
  }

  #comparison(): Filter {
    const path = this.#take('the name of a search parameter').text;
    if (this.#tokens[this.#at]?.text === '[')
      throw wrong('_filter', 'does not take [ ] here; write the chain with dots');
    const operator = this.#take('an operator, such as eq').text;
    const value = this.#take('a value').text;
    const parameter = findParameter(this.#type, path.split(/[.:]/)[0]!);
    const isChain = path.includes('.');
    const read = (name: string, asked: string) => readFilter(this.#type, name, asked, this.#depth + 1);
    const literal = value.replace(/([\\,$])/g, '\\$1');
    switch (operator) {
      case 'eq':
      case 're':
        return read(path, literal);
      case 'ne':
        return { kind: 'not', filter: read(path, literal) };
      case 'gt':
      case 'ge':
      case 'lt':
      case 'le':
      case 'sa':
      case 'eb':
      case 'ap':
        if (!isChain && !['date', 'number', 'quantity'].includes(parameter.type)) {
          throw wrong('_filter', `has ${operator} with ${parameter.code}, which has no order`);
        }
        return read(path, `${operator}${value}`);
      case 'co':
        return read(`${path}:contains`, literal);
      case 'sw':
        return read(path, literal);
      case 'po':
        if (parameter.type !== 'date') throw wrong('_filter', 'has po with what is no date');
        return { kind: 'all', filters: [read(path, `ge${value}`), read(path, `le${value}`)] };
      case 'pr':
        return read(`${path}:missing`, value === 'true' ? 'false' : 'true');
      case 'in':
      case 'ni':
        return read(`${path}:${operator === 'in' ? 'in' : 'not-in'}`, value);
      case 'ss':
        return read(`${path}:above`, value);
      case 'sb':
        return read(`${path}:below`, value);
      default:
        throw wrong(
          '_filter',
          `has the operator ${operator.slice(0, 20)}; understood: eq ne gt ge lt le sa eb ap co sw po pr re in ni ss sb`,
        );
    }
  }

  #take(what: string): Token {
    const token = this.#tokens[this.#at];
    if (!token || (!token.isString && /^[()[\]]$/.test(token.text))) throw this.#unexpected(what);
    this.#at++;
    return token;
  }

  #takes(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (!token || token.isString || token.text !== word) return false;
    this.#at++;
    return true;
  }

  #unexpected(wanted: string) {
    const at = this.#tokens[this.#at]?.at;
    return wrong('_filter', `needs ${wanted} ${at === undefined ? 'at its end' : `at character ${at + 1}`}`);
  }
}
