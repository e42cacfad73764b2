export { type WrittenCcda, writeCcda } from './document.ts';
export type { CcdaOptions, Omission } from './writer.ts';
