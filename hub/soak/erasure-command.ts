/** `npm run soak:erasure`: proves an erasure by looking through every file; result as JSON. */
import { tellResult } from '../terminal.ts';
import { proveErasure } from './erasure.ts';

const { before, between, earlier, after, ...figures } = await proveErasure((text) => console.error(text));
const where = (found: typeof before) => [...new Set(found.map((one) => `${one.where}: ${one.canary} (${one.form})`))];
const asFolders = (found: typeof before) =>
  [...new Set(found.map(({ where: path, canary }) => `${path.replace(/\d+$/, '…')}: ${canary}`))].sort();
tellResult({
  ...figures,
  before: asFolders(before),
  between: asFolders(between),
  earlier: where(earlier),
  after: where(after),
});
process.exit(
  before.length === 0 || between.length === 0 || earlier.length + after.length > 0 || !figures.isOtherWhole ? 1 : 0,
);
