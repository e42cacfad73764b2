/**
 * Refuses searches that would tell of elements that are hidden from the caller (docs/access.md, 7 Redaction): by filter,
 * order, chain, `_has` or include, whether or not there is a value.
 */
import { type HiddenElement, hidesOf, type SearchParameter, searchParameters, tellsOfHidden } from '@causeway/fhir';
import type { Access } from '../../trust/index.ts';
import { RecordError } from '../errors.ts';
import { findParameter } from './known-parameters.ts';
import type { Filter, Include, SearchRequest } from './request.ts';

/** @throws RecordError 403 */
export function refuseHiddenElements({ limits }: Pick<Access, 'limits'>, request: SearchRequest): void {
  if (!limits.redactions) return;
  const hidden = limits.redactions.flatMap(({ elements }) => elements);
  for (const filter of request.filters) refuse(hidden, request.type, filter);
  for (const { parameter } of request.sort) {
    if (typeof parameter === 'object') refuseParameter(hidden, request.type, parameter);
  }
  for (const include of [...request.includes, ...request.revincludes]) refuseInclude(hidden, include);
}

function refuse(hidden: readonly HiddenElement[], type: string, filter: Filter): void {
  switch (filter.kind) {
    case 'value':
      refuseParameter(hidden, type, filter.parameter);
      return;
    case 'chain':
      refuseParameter(hidden, type, filter.parameter);
      for (const target of filter.targets) refuse(hidden, target.type, target.filter);
      return;
    case 'has':
      refuseParameter(hidden, filter.type, filter.parameter);
      refuse(hidden, filter.type, filter.filter);
      return;
    case 'any':
    case 'all':
      for (const one of filter.filters) refuse(hidden, type, one);
      return;
    case 'not':
      refuse(hidden, type, filter.filter);
      return;
    case 'words':
      if (hidesOf(hidden, type)) throw refusal(filter.where, type);
      return;
    case 'list':
      if (hidesOf(hidden, 'List')) throw refusal('_list', 'List');
  }
}

function refuseInclude(hidden: readonly HiddenElement[], { type, parameter }: Include): void {
  if (parameter !== '*') {
    refuseParameter(hidden, type, findParameter(type, parameter));
    return;
  }
  const types = type === '*' ? new Set(hidden.map(({ path }) => path.slice(0, path.indexOf('.')))) : [type];
  for (const of of types) {
    for (const one of searchParameters(of)) if (one.type === 'reference') refuseParameter(hidden, of, one);
  }
}

function refuseParameter(hidden: readonly HiddenElement[], type: string, parameter: SearchParameter): void {
  if (tellsOfHidden(parameter, type, hidden)) throw refusal(parameter.code, type);
}

function refusal(code: string, type: string): RecordError {
  const text = `The parameter ${code} looks at elements of ${type} that are hidden from this access: nothing can be searched or sorted by them.`;
  return new RecordError(403, 'forbidden', text, code);
}
