export { type WrittenCcda, writeCcda } from './document.ts';
export type { CcdaOptions, Omission, WrittenVersion } from './writer.ts';
