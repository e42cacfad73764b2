/** Column maps without the converters, which are large: what they may say, and one that is proposed. */
export { type ColumnMap, type ColumnUse, readColumnMap } from './column-map.ts';
export { fieldsOf, type TableField, type TableKind, tableKinds } from './fields.ts';
export { type ProposedMap, proposeMap } from './propose.ts';
