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
/** In turns. */
const subjects = native ? [new NativeFuzz()] : [new Comparison(), new Comparison({ anyNumbers: true })];
let seed = first;
let bad = 0;
for (; performance.now() < end && bad < 10; seed++) {
  const difference = subjects[seed % subjects.length]!.run(seed);
  if (difference === undefined) continue;
  bad++;
  console.log(difference);
}
let faults = 0;
let skipped = 0;
for (const subject of subjects) {
  faults += subject.faults;
  if (subject instanceof NativeFuzz) {
    skipped += subject.skipped;
    subject.dispose();
  }
}
const notComparable = native ? `, ${skipped} not comparable` : '';
console.log(
  `${seed - first} programs from seed ${first}: ${bad} differ, ${faults} fault${notComparable}; ` +
    subjects
      .map(({ translator }) => translator.statistics())
      .map(({ translated, leaves }) => `${translated} regions, left for ${JSON.stringify(leaves)}`)
      .join('; '),
);
process.exitCode = bad > 0 ? 1 : 0;
