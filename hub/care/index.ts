/** Who cares for whom, and what has to be brought to an end. */
export { type Care, careOf } from './chart.ts';
export { LateMail } from './late-mail.ts';
export { isLoopKind, type LoopKind } from './loop-evidence.ts';
export { assign, close, type Loop, LoopList, noteOn, type Viewer } from './loop-list.ts';
export { LoopWatch } from './loop-watch.ts';
export { Loops, openRecalls, type RecallReason } from './loops.ts';
export { csvRows, groupRows, type PanelRow } from './panel-rows.ts';
export { Panels } from './panels.ts';
export { readersOf, recipientsOf } from './recalls.ts';
export { careRulesOf, carersOf, counts, Relationships } from './relationships.ts';
export { isReplacedSummary, ReplacedSummaries } from './replaced-summaries.ts';
export { isHubSummary, Summaries } from './summaries.ts';
