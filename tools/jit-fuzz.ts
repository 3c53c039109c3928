import { Comparison } from '../test/jit/compare.js';
import { NativeFuzz } from './sequence-oracle/fuzz.js';

/**
 * `npm run fuzz:jit -- [seconds [first seed]] [--native]`: random programs, interpreted and translated, until they
 * differ. With `--native` the processor of this computer runs them too (tools/sequence-oracle).
 */

const words = process.argv.slice(2).filter((word) => word !== '--native');
const native = process.argv.includes('--native');
const seconds = Number(words[0] ?? 60);
const first = Number(words[1] ?? Date.now() % 1_000_000_000);
const end = performance.now() + seconds * 1000;
const subject = native ? new NativeFuzz() : new Comparison();
let seed = first;
let bad = 0;
for (; performance.now() < end && bad < 10; seed++) {
  const difference = subject.run(seed);
  if (difference === undefined) continue;
  bad++;
  console.log(difference);
}
const { translated, leaves } = subject.translator.statistics();
const skipped = subject instanceof NativeFuzz ? `, ${subject.skipped} not comparable` : '';
if (subject instanceof NativeFuzz) subject.dispose();
console.log(
  `${seed - first} programs from seed ${first}: ${bad} differ, ${subject.faults} fault${skipped}; ${translated} regions, left for ${JSON.stringify(leaves)}`,
);
process.exitCode = bad > 0 ? 1 : 0;
