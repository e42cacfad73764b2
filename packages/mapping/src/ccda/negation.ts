/**
 * What takes a statement back in CDA: `negationInd` of an act, the `sdtc:valueNegationInd` extension that denies the
 * value, the status `nullified`, and a null flavor on the act itself.
 */
import type { XmlElement } from '@causeway/ccda';
import type { Run } from './run.ts';
import type { Surrounding } from './statements.ts';

const NEGATION_ATTRIBUTES = ['negationInd', 'sdtc:valueNegationInd'] as const;

/** Whether a statement is denied, by an XML Schema boolean. */
export function isDenied(element: XmlElement): boolean {
  return NEGATION_ATTRIBUTES.some((name) => /^(true|1)$/i.test(element.attr(name) ?? ''));
}

/** Whether the statement, or the concern around it, is denied. */
export function isNegated(run: Run, element: XmlElement, around: Surrounding): boolean {
  let denied = false;
  for (const at of [element, around.wrapper]) {
    if (at === undefined) continue;
    for (const name of NEGATION_ATTRIBUTES) {
      const value = at.attr(name);
      if (value === undefined) continue;
      if (/^(true|false|0|1)$/i.test(value)) run.account.consumed(at, name, `${run.account.rule}: negation`);
      else {
        run.account.rejected(at, name, 'not a boolean');
        run.issue('error', 'value', at, `@${name} has to be true or false; it is read as false`);
      }
    }
    if (isDenied(at)) denied = true;
  }
  return denied;
}

/** `nullified`, on the statement or on the concern around it: entered in error. */
export function isNullified(run: Run, element: XmlElement, around: Surrounding): boolean {
  let nullified = false;
  for (const at of [element.child('statusCode'), around.wrapper?.child('statusCode')]) {
    if (at?.attr('code') === undefined) continue;
    if (at === element.child('statusCode')) run.account.consumed(at, 'code', `${run.account.rule}: status`);
    if (at.attr('code') === 'nullified') {
      run.account.consumed(at, 'code', `${run.account.rule}: status`);
      nullified = true;
    }
  }
  return nullified;
}

/** The statement's own code gives way to one that says that there is none; it drove the choice. */
export function replaceValue(run: Run, element: XmlElement, rule: string): void {
  run.account.reopen(element);
  run.account.consumeBelow(element, rule);
}

/** Null flavors that leave nothing said; `OTH` and the like still say something. */
const NOTHING = new Set(['NI', 'UNK', 'NASK', 'ASKU', 'NAV', 'NA', 'MSK', 'NP']);

export function saysNull(element: XmlElement): boolean {
  return NOTHING.has(element.attr('nullFlavor') ?? '');
}

/**
 * Whether the act itself, or the concern around it, is null (`<observation nullFlavor="NI">`): the sender only says
 * that there is nothing to say, whatever codes the form obliged it to fill in.
 */
export function isNullAct(run: Run, element: XmlElement, around: Surrounding): boolean {
  let found = false;
  for (const at of [element, around.wrapper]) {
    if (at === undefined || !saysNull(at)) continue;
    run.account.consumed(at, 'nullFlavor', `${run.account.rule}: null act`);
    found = true;
  }
  return found;
}
